import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { VerifySignature } from '@sparc/protocol/ports';
import { openRoster, SignedRoster, type Roster } from '@sparc/protocol/roster';
import { findSecretKey, replaceFileDurably, secretKeyText } from '../platform/index.js';

/** What a data directory says of the site that the gateway is a member of. */
export interface MembershipRecord {
  /** Ed25519 public key, 32 bytes. */
  readonly authority: Uint8Array;
  /** 32 bytes: the pre-shared key of the mesh. */
  readonly siteSecret: Uint8Array;
  readonly signed: SignedRoster;
  readonly roster: Roster;
}

const rosterPath = (dataDir: string) => join(dataDir, 'mesh', 'roster.bin');
const authorityPath = (dataDir: string) => join(dataDir, 'mesh', 'authority.pub');
const secretPath = (dataDir: string) => join(dataDir, 'secrets', 'site.secret');

/** Undefined for a gateway that joined no site. Throws ERR_MESH_MEMBERSHIP_DAMAGED or ERR_CONFIG_SECRET_EXPOSED. */
export function readMembership(dataDir: string, verify: VerifySignature): MembershipRecord | undefined {
  if (!existsSync(authorityPath(dataDir))) return undefined;
  try {
    const authority = parseAuthority(readFileSync(authorityPath(dataDir), 'latin1'));
    const siteSecret = findSecretKey(secretPath(dataDir));
    if (siteSecret === undefined) throw new Error(`there is no ${secretPath(dataDir)}`);
    const signed = SignedRoster.decode(readFileSync(rosterPath(dataDir)));
    return { authority, siteSecret, signed, roster: openRoster(verify, authority, signed) };
  } catch (cause) {
    if (cause instanceof SparcError && cause.code === 'ERR_CONFIG_SECRET_EXPOSED') throw cause;
    const message = `the membership of ${dataDir} cannot be used: ${(cause as Error).message}`;
    throw new SparcError('ERR_MESH_MEMBERSHIP_DAMAGED', message, { dataDir }, { cause });
  }
}

/** The authority comes last: whoever finds it finds the rest. Throws what the file system throws. */
export function writeMembership(
  dataDir: string,
  { authority, siteSecret, signed }: Omit<MembershipRecord, 'roster'>,
): void {
  for (const folder of ['secrets', 'mesh']) mkdirSync(join(dataDir, folder), { recursive: true, mode: 0o700 });
  replaceFileDurably(secretPath(dataDir), secretKeyText(siteSecret), 0o600);
  writeRoster(dataDir, signed);
  replaceFileDurably(authorityPath(dataDir), Buffer.from(`${Buffer.from(authority).toString('hex')}\n`));
}

export function writeRoster(dataDir: string, signed: SignedRoster): void {
  replaceFileDurably(rosterPath(dataDir), SignedRoster.encode(signed));
}

function parseAuthority(text: string): Uint8Array {
  if (!/^[0-9a-f]{64}\n?$/.test(text)) throw new Error('authority.pub does not hold 64 hexadecimal digits');
  return Uint8Array.from(Buffer.from(text.trim(), 'hex'));
}
