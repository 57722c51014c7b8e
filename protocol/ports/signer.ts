/** Ed25519 (RFC 8032) with a key that stays behind the port. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** Ed25519 verification: true when `signature` over `message` is by `publicKey`. Never throws on hostile bytes. */
export type VerifySignature = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
