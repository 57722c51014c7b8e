import type { Credential, HashedCredential } from '../policy/index.js';

/** HMAC-SHA-256 of a text under the key of a site's PINs, in base64url; each platform brings its own. */
export type PinMac = (text: string) => string;

/** Bound to the credential, so that equal PINs do not show as equal hashes. */
export const pinHash = (mac: PinMac, credentialId: string, pin: string): string =>
  mac(`sparc pin 1\0${credentialId}\0${pin}`);

/**
 * Among the identifiers of a credential, where a PIN alone says who comes. Equal PINs would show as equal keys, so a site
 * file with two of them is refused.
 */
export const pinIdentifierKey = (mac: PinMac, pin: string): string => `pin:${mac(`sparc pin alone 1\0${pin}`)}`;

/** Takes the PINs out of a credential. `isAlone`: one of its profiles leads to where a PIN alone says who comes. */
export function hashPins(
  mac: PinMac,
  { pin, duressPin, ...credential }: Credential,
  isAlone: boolean,
): HashedCredential {
  const pins = [pin, duressPin].filter((digits) => digits !== undefined);
  return {
    ...credential,
    ...(pin !== undefined && { pinHash: pinHash(mac, credential.id, pin) }),
    ...(duressPin !== undefined && { duressPinHash: pinHash(mac, credential.id, duressPin) }),
    ...(isAlone && pins.length > 0 && { pinIdentifierKeys: pins.map((digits) => pinIdentifierKey(mac, digits)) }),
  };
}
