import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { VerifySignature } from '@sparc/protocol/ports';
import { openRoster, SignedRoster, type Expulsion, type Roster } from '@sparc/protocol/roster';
import { findSecretKey, fromHex, readSecretFile, replaceFileDurably, secretKeyText, toHex } from '../platform/index.js';
import { ExpulsionFile } from './expulsion-file.js';
import { HeldSecrets } from './site-secrets.js';

/** What a data directory says of the site that the gateway is a member of. */
export interface MembershipRecord {
  /** Ed25519 public key, 32 bytes. */
  readonly authority: Uint8Array;
  readonly secrets: HeldSecrets;
  /** 32 bytes: the key of the site's PIN hashes. */
  readonly pinKey: Uint8Array;
  readonly signed: SignedRoster;
  readonly roster: Roster;
  /** What operators expelled beside the roster. */
  readonly expulsions: readonly Expulsion[];
}

const rosterPath = (dataDir: string) => join(dataDir, 'mesh', 'roster.bin');
const authorityPath = (dataDir: string) => join(dataDir, 'mesh', 'authority.pub');
const secretPath = (dataDir: string) => join(dataDir, 'secrets', 'site.secret');
const pinKeyPath = (dataDir: string) => join(dataDir, 'secrets', 'site-pin.key');

/** Undefined for a gateway that joined no site. Throws ERR_MESH_MEMBERSHIP_DAMAGED or ERR_CONFIG_SECRET_EXPOSED. */
export function readMembership(dataDir: string, verify: VerifySignature): MembershipRecord | undefined {
  if (!existsSync(authorityPath(dataDir))) return undefined;
  try {
    const authority = parseAuthority(readFileSync(authorityPath(dataDir), 'latin1'));
    const [secret, pinKey] = [readSecretFile(secretPath(dataDir)), findSecretKey(pinKeyPath(dataDir))];
    if (secret === undefined || pinKey === undefined) throw new Error('site.secret or site-pin.key is missing');
    const signed = SignedRoster.decode(readFileSync(rosterPath(dataDir)));
    const roster = openRoster(verify, authority, signed);
    const expulsions = new ExpulsionFile(dataDir).load();
    return { authority, secrets: HeldSecrets.decode(secret), pinKey, signed, roster, expulsions };
  } catch (cause) {
    if (cause instanceof SparcError && cause.code === 'ERR_CONFIG_SECRET_EXPOSED') throw cause;
    const message = `the membership of ${dataDir} cannot be used: ${(cause as Error).message}`;
    throw new SparcError('ERR_MESH_MEMBERSHIP_DAMAGED', message, { dataDir }, { cause });
  }
}

/** The authority comes last: whoever finds it finds the rest. Throws what the file system throws. */
export function writeMembership(
  dataDir: string,
  { authority, secrets, pinKey, signed }: Omit<MembershipRecord, 'roster' | 'expulsions'>,
): void {
  for (const folder of ['secrets', 'mesh']) mkdirSync(join(dataDir, folder), { recursive: true, mode: 0o700 });
  new ExpulsionFile(dataDir).repair();
  writeSecrets(dataDir, secrets);
  replaceFileDurably(pinKeyPath(dataDir), secretKeyText(pinKey), 0o600);
  writeRoster(dataDir, signed);
  replaceFileDurably(authorityPath(dataDir), Buffer.from(`${toHex(authority)}\n`));
}

export function writeRoster(dataDir: string, signed: SignedRoster): void {
  replaceFileDurably(rosterPath(dataDir), SignedRoster.encode(signed));
}

export function writeSecrets(dataDir: string, secrets: HeldSecrets): void {
  replaceFileDurably(secretPath(dataDir), HeldSecrets.encode(secrets), 0o600);
}

function parseAuthority(text: string): Uint8Array {
  if (!/^[0-9a-f]{64}\n?$/.test(text)) throw new Error('authority.pub does not hold 64 hexadecimal digits');
  return fromHex(text.trim());
}
