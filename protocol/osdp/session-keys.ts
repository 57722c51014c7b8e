import { type AesKey, encryptBlock, expandKey } from './aes.js';

/** SCBK-D, the default key that everybody knows: a session under it protects against nobody (SIA OSDP v2.2, Annex D). */
export const SCBK_DEFAULT = Uint8Array.from({ length: 16 }, (_, index) => 0x30 + index);

/** Second byte of the SCB of SCS_11 to SCS_13: which key the session is made from. */
export const KEY_SELECTION = { scbkDefault: 0, scbk: 1 } as const;

/** The keys of one session: S-ENC, S-MAC1, S-MAC2. */
export interface SessionKeys {
  readonly enc: AesKey;
  readonly mac1: AesKey;
  readonly mac2: AesKey;
}

/**
 * SIA OSDP v2.2, Annex D, "Session Key Derivation": E(SCBK, 01 xx RND.A[0..5] 00…). Only RND.A makes a session fresh:
 * it must come from a cryptographic generator and never repeat.
 */
export function deriveSessionKeys(scbk: Uint8Array, rndA: Uint8Array): SessionKeys {
  const base = expandKey(scbk);
  const derive = (kind: number): AesKey => {
    const block = new Uint8Array(16);
    block.set([0x01, kind]);
    block.set(rndA.subarray(0, 6), 2);
    return expandKey(encryptBlock(base, block));
  };
  return { enc: derive(0x82), mac1: derive(0x01), mac2: derive(0x02) };
}

/** E(S-ENC, RND.A || RND.B): the PD shows that it has the key. */
export const clientCryptogram = (keys: SessionKeys, rndA: Uint8Array, rndB: Uint8Array): Uint8Array =>
  encryptBlock(keys.enc, Uint8Array.of(...rndA, ...rndB));

/** E(S-ENC, RND.B || RND.A): the ACU shows that it has the key. */
export const serverCryptogram = (keys: SessionKeys, rndA: Uint8Array, rndB: Uint8Array): Uint8Array =>
  encryptBlock(keys.enc, Uint8Array.of(...rndB, ...rndA));

/** R-MAC_I, the initial chaining value: E(S-MAC2, E(S-MAC1, server cryptogram)). */
export const initialRMac = (keys: SessionKeys, cryptogram: Uint8Array): Uint8Array =>
  encryptBlock(keys.mac2, encryptBlock(keys.mac1, cryptogram));
