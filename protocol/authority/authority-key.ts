import type { Signer } from '../ports/signer.js';

/** By what somebody is the authority of a site. */
export interface AuthorityKey {
  readonly signer: Signer;
  /**
   * Opens what is sealed to the authority itself: an Ed25519 key in hex and the seed that it is made from, 32 bytes. The
   * signer's own, but where that never leaves its device.
   */
  readonly sealing: { readonly key: string; readonly seed: Uint8Array };
}
