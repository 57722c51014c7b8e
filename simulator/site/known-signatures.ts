import type { LedgerCrypto } from '@sparc/protocol/ledger';
import type { Signer } from '@sparc/protocol/ports';

export interface RememberingCrypto extends LedgerCrypto {
  /** The same signer; nobody has to check what it signed. */
  remembered(signer: Signer): Signer;
}

/** The gateways of a world check the same signatures: one answer does for all of them. */
export function withMemory({ sha256, verify }: LedgerCrypto): RememberingCrypto {
  const known = new Map<string, boolean>();
  const nameOf = (...parts: readonly Uint8Array[]) => Buffer.concat(parts).toString('latin1');
  return {
    sha256,
    verify: (publicKey, message, signature) => {
      const name = nameOf(publicKey, signature, message);
      const answer = known.get(name) ?? verify(publicKey, message, signature);
      known.set(name, answer);
      return answer;
    },
    remembered: (signer) => ({
      publicKey: signer.publicKey,
      sign: (message) => {
        const signature = signer.sign(message);
        known.set(nameOf(signer.publicKey, signature, message), true);
        return signature;
      },
    }),
  };
}
