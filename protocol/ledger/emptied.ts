import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import protobuf from 'protobufjs/minimal.js';
import type { WallTime } from '../ports/clock.js';
import type { LedgerCrypto } from './crypto.js';
import { HASH_BYTES, type EntryContent } from './entry.js';
import { malformed } from './message.js';

const BODY_DOMAIN = utf8ToBytes('sparc/ledger/body/1\0');
/** Tag and wire type of three fields of an EntryContent. */
const BODY_KEY = 0x2a;
const PASSING_KEY = 0x30;
const DIGEST_KEY = 0x3a;

/** Entries that the cloud has are kept beside it for so long: one that was restored from a backup collects again what it lost. */
export const KEPT_MS = 604_800_000;
/** The days of it; clocks may be one apart. */
export const KEPT_DAYS = 7;

/**
 * Whether an entry was emptied while nobody might do that yet: it verifies like any other, and hides what it said from whoever has
 * nothing else. By both of its stamps, for a clock that is set back sets no log back. False while nobody knows the time, and where its author was
 * far ahead of it. `keptMs`: KEPT_MS, but where time runs faster; `sinceUnixMs`: what was made since then is never old enough.
 */
export function isEmptiedEarly(
  { digest, wallUnixMs, hlc }: Pick<EntryContent, 'digest' | 'wallUnixMs' | 'hlc'>,
  { unixMs, quality }: WallTime,
  keptMs: number = KEPT_MS,
  sinceUnixMs = Infinity,
): boolean {
  if (digest === undefined || (quality !== 'synced' && quality !== 'holdover')) return false;
  const dayMs = keptMs / KEPT_DAYS;
  return [wallUnixMs, hlc.unixMs].some((madeUnixMs) => {
    const ageMs = unixMs - madeUnixMs;
    return ageMs >= -dayMs && (ageMs < keptMs - dayMs || madeUnixMs >= sinceUnixMs);
  });
}

/**
 * The content of a passing entry with a digest in the place of its body: what is left when it is emptied. All else stays as its
 * author wrote it, what a newer version added as well. Undefined for an entry that lasts, and for one that was emptied.
 * Throws ERR_LEDGER_MALFORMED where the bytes could be written in another way: each form has one other.
 */
export function emptied(crypto: Pick<LedgerCrypto, 'sha256'>, content: Uint8Array): Uint8Array | undefined {
  const found = passingBody(content);
  if (found === undefined) return undefined;
  const { head, body, rest } = found;
  const digest = crypto.sha256(concatBytes(BODY_DOMAIN, body));
  return concatBytes(head, Uint8Array.of(BODY_KEY, 0, DIGEST_KEY, HASH_BYTES), digest, rest);
}

interface PassingBody {
  /** What is before it. */
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  /** What is behind it and the flag that says that it passes. */
  readonly rest: Uint8Array;
}

function passingBody(content: Uint8Array): PassingBody | undefined {
  try {
    return scan(content);
  } catch (error) {
    throw malformed('no content of an entry', error);
  }
}

/** Not by a decoder: it would drop what a newer version added. */
function scan(content: Uint8Array): PassingBody | undefined {
  const reader = protobuf.Reader.create(content);
  let head: Uint8Array | undefined;
  let body: Uint8Array | undefined;
  let bodyEnd = 0;
  while (reader.pos < reader.len) {
    const at = reader.pos;
    const key = reader.uint32();
    if (key > PASSING_KEY) return undefined;
    if (key === BODY_KEY) {
      if (body !== undefined) throw malformed('two bodies');
      body = reader.bytes();
      head = content.subarray(0, at);
      bodyEnd = reader.pos;
      if (bodyEnd - at !== 1 + varintBytes(body.length) + body.length) throw malformed('a long form of a length');
    } else if (key !== PASSING_KEY) {
      reader.skipType(key & 7);
    } else if (reader.uint32() === 1) {
      const rest = content.subarray(reader.pos);
      if (head === undefined || body === undefined || at !== bodyEnd) throw malformed('a passing entry without a body');
      if (reader.pos - at !== 2 || rest[0] === DIGEST_KEY) throw malformed('a passing entry in another form');
      return { head, body, rest };
    } else {
      return undefined;
    }
  }
  return undefined;
}

const varintBytes = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : 3);
