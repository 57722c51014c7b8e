import { CodecError } from './codec-error.js';
import { bytesToHex } from './hex.js';

/** Keys that stand in manuals, examples and test programs of OSDP products: whoever reads them has them. */
const PUBLISHED_KEYS: readonly string[] = [
  '00112233445566778899aabbccddeeff',
  '0123456789abcdef0123456789abcdef',
  '0123456789abcdeffedcba9876543210',
  'fedcba98765432100123456789abcdef',
  'deadbeefdeadbeefdeadbeefdeadbeef',
  '00010203040506070001020304050607',
  '12345678123456781234567812345678',
  '31323334353637383930313233343536',
];

/**
 * Refuses a key that somebody could guess: SCBK-D and every other row of equal steps (all zero, all the same, counting up
 * or down), and keys that were published. The message says nothing of the key.
 * @throws CodecError for a key that is not 16 bytes long (ERR_OSDP_VALUE) or weak (ERR_OSDP_KEY_WEAK).
 */
export function assertStrongKey(scbk: Uint8Array): void {
  if (scbk.length !== 16) throw new CodecError('ERR_OSDP_VALUE', 'an SCBK has 16 bytes');
  if (isRow(scbk)) throw new CodecError('ERR_OSDP_KEY_WEAK', 'the bytes of the key are a row of equal steps');
  if (PUBLISHED_KEYS.includes(bytesToHex(scbk))) {
    throw new CodecError('ERR_OSDP_KEY_WEAK', 'the key was published as an example');
  }
}

function isRow(bytes: Uint8Array): boolean {
  const step = (index: number): number => ((bytes[index] ?? 0) - (bytes[index - 1] ?? 0)) & 0xff;
  return bytes.every((_, index) => index === 0 || step(index) === step(1));
}
