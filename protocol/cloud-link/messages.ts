import { bytes, flag, hex, list, message, optional, required, SignedHead, uint, type Infer } from '../ledger/index.js';
import { PART_BYTES_MAX } from '../policy-revision/index.js';
import { AUTHORS_MAX, PARTS_ASKED_MAX, TIPS_MAX, Want } from '../replication/index.js';

/** A gateway says all heads again this often, and that its logs grew after this: what was lost costs latency, nothing else. */
export const HELLO_INTERVAL_MS = 30_000;
export const HELLO_PAUSE_MS = 1_000;

/** Up to where a gateway holds which log: its own and those of its neighbours, which it carries. */
export const Hello = message({
  tips: list(1, SignedHead, AUTHORS_MAX * TIPS_MAX),
  /** The first on this link: what the gateway was asked for on an earlier one, it has forgotten. */
  isFirst: required(2, flag),
});
export type Hello = Infer<typeof Hello>;

/**
 * Asks a gateway for what follows in some logs; what it was asked for before and is not named here stays asked for. It sends
 * batches, one an author at a time, the next when the cloud has acknowledged the last.
 */
export const Wants = message({
  logs: list(1, Want, AUTHORS_MAX),
  /** Of batches that are sent and not acknowledged, of all authors together; one may always be. */
  creditBytes: required(2, uint(2 ** 32 - 1)),
});
export type Wants = Infer<typeof Wants>;

/** Asks for parts of policy revisions by their names. */
export const PartsWanted = message({
  /** Of this gateway; the reply names it. */
  request: required(1, uint(2 ** 32 - 1)),
  hashes: list(2, hex(32), PARTS_ASKED_MAX),
});
export type PartsWanted = Infer<typeof PartsWanted>;

/** One of the parts that were asked for, or the end of them: what is not there is left out. */
export const PartBrought = message({
  request: required(1, uint(2 ** 32 - 1)),
  /** Absent at the end. */
  content: optional(2, bytes(1, PART_BYTES_MAX)),
});
export type PartBrought = Infer<typeof PartBrought>;
