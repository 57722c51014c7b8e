import { Type, type Static } from '@sinclair/typebox';
import { closed } from './schema-terms.js';
import { Credential } from './site-file.js';

const PinHash = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: '32 bytes in base64url' });

const { pin: _pin, duressPin: _duressPin, ...withoutPins } = Credential.properties;

/** A credential whose PINs are keyed hashes: what a policy store holds, and what travels between gateways. */
export const HashedCredential = closed({
  ...withoutPins,
  pinHash: Type.Optional(PinHash),
  duressPinHash: Type.Optional(PinHash),
  pinIdentifierKeys: Type.Optional(
    Type.Array(Type.String({ pattern: '^pin:[A-Za-z0-9_-]{43}$' }), {
      minItems: 1,
      maxItems: 2,
      description:
        'of its PINs, where one of its profiles leads to an access point at which a PIN alone says who comes',
    }),
  ),
});
export type HashedCredential = Static<typeof HashedCredential>;
