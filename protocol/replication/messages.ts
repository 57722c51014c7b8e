import {
  Batch,
  bytes,
  EpochId,
  flag,
  hex,
  kept,
  list,
  message,
  optional,
  required,
  sequenceNumber,
  SignedHead,
  text,
  type Infer,
} from '../ledger/index.js';
import { EPOCH_ENDS_MAX } from './author-log.js';

/** Gateways of a site, its authority and operators: all who have a log. */
export const AUTHORS_MAX = 128;
/** Tips of one author that are announced, the newest; whoever asks for them gets the others too. */
export const TIPS_MAX = 4;
/** Batches that are pushed at once. */
export const PUSHED_BATCHES_MAX = 32;

/** Said to a neighbour when it connects and whenever something changed: all of it is on the disk of whoever says it. */
export const Heads = message({
  tips: list(1, kept(SignedHead), AUTHORS_MAX * TIPS_MAX),
  /** These are all, not only those that changed. */
  complete: required(2, flag),
  /** The newest entries themselves, so that a neighbour who has what is before them need not ask. */
  pushed: list(3, Batch, PUSHED_BATCHES_MAX),
  /** Members that whoever says it hears itself, where they changed or these are all tips: what those write need not be pushed to it. */
  neighbours: list(4, hex(32), AUTHORS_MAX),
});
export type Heads = Infer<typeof Heads>;

/** Asks for all that follows in the log of an author. */
export const Want = message({
  site: required(1, text(64)),
  author: required(2, bytes(32)),
  /** Up to where whoever asks has it. */
  ends: list(3, message({ epoch: required(1, EpochId), sequence: required(2, sequenceNumber) }), EPOCH_ENDS_MAX),
});
export type Want = Infer<typeof Want>;

/**
 * Asks for what the cloud signed to have of all logs of the site: the newest that is old enough to empty logs by, and the newest of all,
 * each a piece of the answer.
 */
export const WantWord = message({
  site: required(1, text(64)),
  /** By which whoever asks knows the cloud: one that a neighbour knows by another key is none that it can ask. */
  cloudKey: required(2, bytes(32)),
});
export type WantWord = Infer<typeof WantWord>;

/** Parts of a policy revision that are asked for at once. */
export const PARTS_ASKED_MAX = 64;

/** Asks for parts of policy revisions, each of which comes as a piece of the reply; what is not here is left out. */
export const WantParts = message({
  site: required(1, text(64)),
  /** Their names. */
  hashes: list(2, hex(32), PARTS_ASKED_MAX),
});
export type WantParts = Infer<typeof WantParts>;

/** What a neighbour is asked for: one of these. */
export const MeshRequest = message({
  log: optional(1, Want),
  parts: optional(2, WantParts),
  word: optional(3, WantWord),
});
