import type { Batch } from '@sparc/protocol/ledger';
import type { Pace } from '../mesh/pace.js';

/**
 * Signatures to check, and what takes as long, that one neighbour may cause, over all its connections. A busy site of 16
 * needs some hundred a second of each; what comes beyond is not read: messages only hint, and all is said again.
 */
export const WORK_PACE: Pace = { perSecond: 1_000, burst: 4_000, pieceMin: 1 };

/** Of a message, beside what it holds. */
export const MESSAGE_WORK = 1;
/** Of a request: it may read much to send little. */
export const REQUEST_WORK = 4;

/** Entries whose hashes take as long as a signature. */
const ENTRIES_OF_A_SIGNATURE = 32;
/** A new epoch is compared with all others. */
const NEW_EPOCH_WORK = 16;

export const batchWork = ({ contents, firstSequence }: Batch): number =>
  1 + contents.length / ENTRIES_OF_A_SIGNATURE + (firstSequence === 1 ? NEW_EPOCH_WORK : 0);
