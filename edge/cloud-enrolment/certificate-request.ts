import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

/** `SEQUENCE { ecdsa-with-SHA256 }` (RFC 5758, 3.2). */
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
/** Version 0 and a subject without names: it is the cloud that says whom it names. */
const NOBODY = Buffer.from('0201003000', 'hex');
const NO_ATTRIBUTES = Buffer.from('a000', 'hex');
const SEQUENCE = 0x30;
const BIT_STRING = 0x03;

/** A new P-256 key, PKCS #8 as PEM. */
export function newLinkKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A request for a certificate by whoever has this key: PKCS #10 (RFC 2986, 4), DER. */
export function certificateRequest(keyPem: string): Uint8Array {
  const key = createPrivateKey(keyPem);
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const info = der(SEQUENCE, NOBODY, publicKey, NO_ATTRIBUTES);
  const signature = der(BIT_STRING, Buffer.of(0), sign('sha256', info, key));
  return Uint8Array.from(der(SEQUENCE, info, ECDSA_WITH_SHA256, signature));
}

/** X.690, 8.1: tag, length, content of less than 64 KiB. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const lengths = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...lengths), content]);
}
