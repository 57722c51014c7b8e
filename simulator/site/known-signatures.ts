import { sameBytes, type LedgerCrypto } from '@sparc/protocol/ledger';
import type { Signer } from '@sparc/protocol/ports';

export interface RememberingCrypto extends LedgerCrypto {
  /** The same signer; nobody has to check what it signed. */
  remembered(signer: Signer): Signer;
}

interface Known {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly answer: boolean;
}

/** The gateways of a world check the same signatures: one answer does for all of them. */
export function withMemory({ sha256, verify }: LedgerCrypto): RememberingCrypto {
  const known = new Map<string, Known>();
  const nameOf = (signature: Uint8Array) =>
    Buffer.from(signature.buffer, signature.byteOffset, signature.length).toString('latin1');
  return {
    sha256,
    verify: (publicKey, message, signature) => {
      const name = nameOf(signature);
      const before = known.get(name);
      if (before !== undefined && sameBytes(before.message, message) && sameBytes(before.publicKey, publicKey)) {
        return before.answer;
      }
      const answer = verify(publicKey, message, signature);
      known.set(name, { publicKey, message, answer });
      return answer;
    },
    remembered: (signer) => ({
      publicKey: signer.publicKey,
      sign: (message) => {
        const signature = signer.sign(message);
        known.set(nameOf(signature), { publicKey: signer.publicKey, message, answer: true });
        return signature;
      },
    }),
  };
}
