import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { Signer } from '@sparc/protocol/ports';

/** An Ed25519 key that a test can have again: made from one byte. */
export function testSigner(seed = 1): Signer {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seed)]);
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    publicKey: Uint8Array.from(spki.subarray(-32)),
    sign: (message) => Uint8Array.from(sign(null, message, privateKey)),
  };
}
