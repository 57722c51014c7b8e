import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { Signer } from '@sparc/protocol/ports';
import type { SeededRandom } from '../world/index.js';

/** An Ed25519 key that a seed gives again (RFC 8410 envelope around 32 bytes). */
export function seededSigner(random: SeededRandom): Signer {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), random.bytes(32)]);
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    publicKey: Uint8Array.from(spki.subarray(-32)),
    sign: (message) => Uint8Array.from(sign(null, message, privateKey)),
  };
}
