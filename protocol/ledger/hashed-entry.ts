import { utf8ToBytes } from '@noble/hashes/utils.js';
import { CONTENT_BYTES_MAX, EPOCH_RANDOM_BYTES, HASH_BYTES, type EntryPlace } from './entry.js';
import { malformed } from './message.js';

const DOMAIN = utf8ToBytes('sparc/ledger/entry/1\0');
const AUTHOR_BYTES = 32;
/** Of all but the content: domain, keys and lengths of the fields, their values. */
const HEAD_BYTES_MAX = 160;

/** Grows with the longest entry. It is used within one call only. */
let scratch = new Uint8Array(0);

/**
 * What the hash of an entry is over: the domain and a protobuf message `author = 1, epoch = 2, sequence = 3,
 * previousHash = 4, content = 5`. Written in place, because every entry of every log is hashed wherever it arrives, and
 * a general encoder takes five times as long. The bytes are valid until the next call.
 */
export function hashedEntry(place: EntryPlace, content: Uint8Array): Uint8Array {
  const { author, epoch, sequence, previousHash } = place;
  if (
    author.length !== AUTHOR_BYTES ||
    epoch.random.length !== EPOCH_RANDOM_BYTES ||
    previousHash.length !== HASH_BYTES ||
    content.length > CONTENT_BYTES_MAX ||
    !Number.isSafeInteger(sequence) ||
    !Number.isSafeInteger(epoch.counter)
  ) {
    throw malformed('no place of an entry');
  }
  if (scratch.length < HEAD_BYTES_MAX + content.length) {
    scratch = new Uint8Array(HEAD_BYTES_MAX + 2 * content.length);
    scratch.set(DOMAIN);
  }
  let at = writeBytes(DOMAIN.length, 0x0a, author);
  scratch[at] = 0x12;
  // One byte: an epoch is never as long as 128 bytes.
  const epochLengthAt = at + 1;
  at = writeUint(epochLengthAt + 1, 0x08, epoch.counter);
  at = writeBytes(at, 0x12, epoch.random);
  scratch[epochLengthAt] = at - epochLengthAt - 1;
  at = writeUint(at, 0x18, sequence);
  at = writeBytes(at, 0x22, previousHash);
  return scratch.subarray(0, writeBytes(at, 0x2a, content));
}

/** Where the next field goes; so do the others. */
function writeBytes(at: number, key: number, value: Uint8Array): number {
  const start = writeUint(at, key, value.length);
  scratch.set(value, start);
  return start + value.length;
}

/** A key of one byte and a varint. */
function writeUint(at: number, key: number, value: number): number {
  scratch[at] = key;
  let end = at + 1;
  let left = value;
  // Not by shifts, which see 32 bits.
  for (; left >= 0x80; left = Math.floor(left / 0x80)) scratch[end++] = (left % 0x80) | 0x80;
  scratch[end] = left;
  return end + 1;
}
