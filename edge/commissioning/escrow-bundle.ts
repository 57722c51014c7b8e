import { createHash } from 'node:crypto';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';
import type { Random } from '@sparc/protocol/ports';
import { HeldKeysJson } from './held-keys.js';
import { openingKeyOf, sealingKeyFor, type RecoveryKey } from './recovery-key.js';
import { NONCE_SIZE_BYTES, seal, unseal } from './sealed-json.js';

const FORMAT = 'sparc escrow';
const Base64 = Type.String({ pattern: '^[A-Za-z0-9_-]+$' });
const PublicKey = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });

const BundleFile = Type.Object(
  {
    format: Type.Literal(FORMAT),
    version: Type.Literal(1),
    /** For whom it is sealed. */
    recoveryKey: PublicKey,
    ephemeralKey: PublicKey,
    sealed: Base64,
  },
  { additionalProperties: false },
);

/** What a replacement gateway needs so that no reader has to be touched. */
export const EscrowContent = Type.Object(
  {
    siteId: Type.String(),
    gateway: Type.String(),
    sealedAtUnixMs: Type.Integer(),
    devices: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          /** Absent for a device that the policy of that moment did not name. */
          bus: Type.Optional(Type.String()),
          address: Type.Optional(Type.Integer()),
          keys: HeldKeysJson,
        },
        { additionalProperties: false },
      ),
    ),
    /** Speeds that commissioning gave to buses, in bits a second, by bus id. */
    busSpeeds: Type.Record(Type.String(), Type.Integer()),
  },
  { additionalProperties: false },
);
export type EscrowContent = Static<typeof EscrowContent>;

/** SHA-256 of a bundle as it is on disk: what the journal has of it. */
export const digestOfBundle = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function sealBundle(recoveryKey: Uint8Array, content: EscrowContent, random: Random): Uint8Array {
  const { key, ephemeralKey } = sealingKeyFor(recoveryKey, random);
  const sealed = seal(key, random.bytes(NONCE_SIZE_BYTES), FORMAT, content);
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  const file: Static<typeof BundleFile> = {
    format: FORMAT,
    version: 1,
    recoveryKey: text(recoveryKey),
    ephemeralKey: text(ephemeralKey),
    sealed: text(sealed),
  };
  return Buffer.from(`${JSON.stringify(file)}\n`);
}

/** Throws ERR_ESCROW_FOREIGN, ERR_ESCROW_KEY_WRONG or ERR_ESCROW_DAMAGED. */
export function openBundle(bytes: Uint8Array, recoveryKey: RecoveryKey): EscrowContent {
  const file = parse(bytes);
  if (!Value.Check(BundleFile, file)) {
    throw new SparcError('ERR_ESCROW_FOREIGN', 'this is no escrow bundle of this version');
  }
  if (file.recoveryKey !== Buffer.from(recoveryKey.publicKey).toString('base64url')) {
    throw new SparcError('ERR_ESCROW_KEY_WRONG', `it was sealed for the recovery key ${file.recoveryKey}`);
  }
  const content = unsealed(file, recoveryKey);
  if (!Value.Check(EscrowContent, content)) throw new SparcError('ERR_ESCROW_DAMAGED', 'the bundle was changed or cut');
  return content;
}

function unsealed({ ephemeralKey, sealed }: Static<typeof BundleFile>, recoveryKey: RecoveryKey): unknown {
  try {
    const key = openingKeyOf(recoveryKey, Buffer.from(ephemeralKey, 'base64url'));
    return unseal(key, FORMAT, Buffer.from(sealed, 'base64url'));
  } catch {
    // A public key that is no point of the curve.
    return undefined;
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
