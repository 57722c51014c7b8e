import { TIME_QUALITIES } from '../ports/clock.js';
import { bytes, bytesInPlace, flag, hlcStamp, oneOf, text, uint } from './codecs.js';
import { message, optional, required, type Infer } from './message.js';

export const HASH_BYTES = 32;
export const EPOCH_RANDOM_BYTES = 8;
/** Stands where the first entry of a log has no entry before it. */
export const NO_HASH = new Uint8Array(HASH_BYTES);
export const BODY_BYTES_MAX = 65_536;
export const CONTENT_BYTES_MAX = BODY_BYTES_MAX + 256;

/**
 * One process start of an author. The counter rises with every start; the random bytes keep two epochs apart that a
 * restored disk gave the same counter.
 */
export const EpochId = message({
  counter: required(1, uint(2 ** 32 - 1)),
  random: required(2, bytes(EPOCH_RANDOM_BYTES)),
});
export type EpochId = Infer<typeof EpochId>;

/**
 * What an author says in one entry. Its bytes are stored, sent and hashed as they are, so whatever a newer version
 * adds to it survives in an older one.
 */
export const EntryContent = message({
  /** `epoch`, `event`; an unknown kind is kept and passed on. */
  kind: required(1, text(32)),
  hlc: required(2, hlcStamp),
  /** Milliseconds since 1970-01-01T00:00Z. */
  wallUnixMs: required(3, uint(2 ** 48 - 1)),
  timeQuality: required(4, oneOf(TIME_QUALITIES)),
  /** Empty where it was emptied. */
  body: required(5, bytesInPlace(0, BODY_BYTES_MAX)),
  /** Nothing follows from it once it is old: whoever knows that the cloud has it may empty it. */
  passing: optional(6, flag),
  /** In the place of a body that was emptied: its digest, over which the entry was hashed from the start. */
  digest: optional(7, bytes(HASH_BYTES)),
});
export type EntryContent = Infer<typeof EntryContent>;

/** The bytes of an EntryContent, as a value inside other messages. */
export const contentBytes = bytesInPlace(1, CONTENT_BYTES_MAX);

/** Sequences of an epoch start at 1 and have no gap. */
export const sequenceNumber = uint();

/** An entry without its content: what the hash covers, beside the content's bytes. */
export interface EntryPlace {
  /** Ed25519 public key, 32 bytes. */
  readonly author: Uint8Array;
  readonly epoch: EpochId;
  readonly sequence: number;
  /** Hash of the entry before, over epochs; NO_HASH at the start of a log. */
  readonly previousHash: Uint8Array;
}

/** An entry in full. */
export type Entry = EntryPlace & EntryContent;
