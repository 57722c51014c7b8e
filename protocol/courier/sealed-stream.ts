import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { SparcError } from '../errors/index.js';
import { sameBytes } from '../ledger/index.js';
import { SITE_SECRETS_MAX, type SiteSecrets } from '../roster/index.js';
import { Pieces } from './pieces.js';

const MAGIC = utf8ToBytes('sparc/courier/1\n');
const SLOT_INFO = utf8ToBytes('sparc/courier/slot/1');
const SALT_BYTES = 32;
const CHECK_BYTES = 16;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const PREFIX_BYTES = 19;
const SLOTS_BYTES = SITE_SECRETS_MAX * KEY_BYTES;
/** Of chance that every file takes: its salt and its key. */
export const CHANCE_BYTES = SALT_BYTES + KEY_BYTES;

/** Of what is encrypted at a time; the last piece of a file may be shorter. */
export const CHUNK_BYTES = 65_536;

/**
 * Encrypts a stream of any length, in chunks that each stand for their place (the STREAM construction: Hoang, Reyhanitabar,
 * Rogaway, Vizár, CRYPTO 2015): the nonce holds the number of the chunk and whether it is the last. The key is of this one
 * file; each secret masks it in a slot of its own, by the salt (RFC 5869), which is never used again. Whoever has not heard of
 * the present secret opens it with one before: a courier may be what brings the present one.
 */
export function* sealStream(
  { present, previous }: SiteSecrets,
  chance: Uint8Array,
  plain: Iterable<Uint8Array>,
): Generator<Uint8Array, void> {
  const [salt, fileKey] = [chance.subarray(0, SALT_BYTES), chance.subarray(SALT_BYTES)];
  const slots = concatBytes(
    ...Array.from({ length: SITE_SECRETS_MAX }, (_, at) =>
      masked([present, ...previous][at] ?? present, salt, fileKey),
    ),
  );
  const { check, cipherAt } = keysOf(fileKey, salt, slots);
  yield concatBytes(MAGIC, salt, slots, check);
  const source = new Pieces(plain);
  try {
    for (let number = 0, isLast = false; !isLast; number += 1) {
      const chunk = source.take(CHUNK_BYTES);
      isLast = source.isAtEnd;
      yield cipherAt(number, isLast).encrypt(chunk);
    }
  } finally {
    source.close();
  }
}

/**
 * What was sealed under one of the secrets; each chunk is authentic when it comes out, and that none is missing shows at
 * the end. Throws ERR_COURIER_DAMAGED or ERR_COURIER_OTHER_SITE.
 */
export function* openStream(secrets: readonly Uint8Array[], sealed: Iterable<Uint8Array>): Generator<Uint8Array, void> {
  const source = new Pieces(sealed);
  try {
    if (!sameBytes(source.take(MAGIC.length), MAGIC)) throw damaged('it is no courier of a version that is known here');
    const salt = source.take(SALT_BYTES);
    const slots = source.take(SLOTS_BYTES);
    const check = source.take(CHECK_BYTES);
    if (check.length < CHECK_BYTES) throw damaged('it ends within its first bytes');
    const masks = Array.from({ length: SITE_SECRETS_MAX }, (_, at) =>
      slots.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES),
    );
    const keys = secrets
      .flatMap((secret) => masks.map((slot) => keysOf(masked(secret, salt, slot), salt, slots)))
      .find((each) => sameBytes(each.check, check));
    if (keys === undefined) {
      throw new SparcError('ERR_COURIER_OTHER_SITE', 'it was not made with the site secret of this gateway');
    }
    for (let number = 0, isLast = false; !isLast; number += 1) {
      const chunk = source.take(CHUNK_BYTES + TAG_BYTES);
      isLast = source.isAtEnd;
      yield opened(keys, number, isLast, chunk);
    }
  } finally {
    source.close();
  }
}

type Keys = ReturnType<typeof keysOf>;

/** And back. */
function masked(secret: Uint8Array, salt: Uint8Array, fileKey: Uint8Array): Uint8Array {
  return hkdf(sha256, secret, salt, SLOT_INFO, KEY_BYTES).map((byte, at) => byte ^ (fileKey[at] ?? 0));
}

/** All that the file begins with is in them, so that nothing of it can be changed. */
function keysOf(fileKey: Uint8Array, salt: Uint8Array, slots: Uint8Array) {
  const length = KEY_BYTES + PREFIX_BYTES + CHECK_BYTES;
  const derived = hkdf(sha256, fileKey, concatBytes(salt, slots), MAGIC, length);
  const key = derived.subarray(0, KEY_BYTES);
  const prefix = derived.subarray(KEY_BYTES, KEY_BYTES + PREFIX_BYTES);
  return {
    /** Tells another secret from damage, and binds the file to one key, which the cipher alone does not. */
    check: derived.subarray(KEY_BYTES + PREFIX_BYTES),
    cipherAt: (number: number, isLast: boolean) => {
      const nonce = new Uint8Array(PREFIX_BYTES + 5);
      nonce.set(prefix);
      const view = new DataView(nonce.buffer);
      view.setUint32(PREFIX_BYTES, number);
      view.setUint8(PREFIX_BYTES + 4, isLast ? 1 : 0);
      return xchacha20poly1305(key, nonce);
    },
  };
}

function opened({ cipherAt }: Keys, number: number, isLast: boolean, chunk: Uint8Array): Uint8Array {
  try {
    return cipherAt(number, isLast).decrypt(chunk);
  } catch {
    const what = isLast
      ? 'it ends early, or its end was altered'
      : `it was altered behind ${number * CHUNK_BYTES} bytes`;
    throw damaged(what);
  }
}

export const damaged = (message: string, cause?: unknown) =>
  new SparcError('ERR_COURIER_DAMAGED', message, {}, { cause });
