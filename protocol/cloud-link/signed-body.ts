import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { bytes, message, required } from '../ledger/index.js';
import type { Signer, VerifySignature } from '../ports/signer.js';

const BODY_BYTES_MAX = 262_144;

const Signed = message({
  body: required(1, bytes(1, BODY_BYTES_MAX)),
  signature: required(2, bytes(64)),
});

/** What a signature of the link is for: none of one kind is taken for one of another. */
export type Purpose = 'ack' | 'request' | 'answer';

const signedBytes = (purpose: Purpose, body: Uint8Array): Uint8Array =>
  concatBytes(utf8ToBytes(`sparc/cloud/${purpose}/1\0`), body);

export const signBody = (signer: Signer, purpose: Purpose, body: Uint8Array): Uint8Array =>
  Signed.encode({ body, signature: signer.sign(signedBytes(purpose, body)) });

/** Throws where `key` did not sign it for this purpose. */
export function openBody(verify: VerifySignature, key: Uint8Array, purpose: Purpose, signed: Uint8Array): Uint8Array {
  const { body, signature } = Signed.decode(signed);
  if (!verify(key, signedBytes(purpose, body), signature)) throw new Error('it is not signed by whom it should be');
  return body;
}
