import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AuthorityKey, Draft } from '@sparc/protocol/authority';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Random } from '@sparc/protocol/ports';
import {
  createSecretFile,
  createSigningKey,
  findSecretKey,
  findSigningKey,
  findSigningSeed,
  secretKeyText,
  toHex,
  tryLock,
  type ExclusiveLock,
} from '../platform/index.js';
import { AuthorityLog } from './authority-log.js';

const PIN_KEY_BYTES = 32;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
}

/** What is in the folder of an authority, held by whoever works on it. */
export interface AuthorityFiles {
  readonly key: AuthorityKey;
  /** 32 bytes: the key of the site's PIN hashes. */
  readonly pinKey: Uint8Array;
  readonly log: AuthorityLog;
  readonly lock: ExclusiveLock;
}

const keyPath = (path: string) => join(path, 'authority.key');
const pinKeyPath = (path: string) => join(path, 'pin.key');
const logPath = (path: string) => join(path, 'log.db');

/** `first`: what the log begins with. Throws ERR_MESH_AUTHORITY_PRESENT, or what the file system throws. */
export function createAuthorityFiles(
  path: string,
  siteId: string,
  { clock, random }: Deps,
  first: (key: AuthorityKey) => readonly Draft[],
): void {
  makeKey(path);
  const key = notDamaged(path, () => keyIn(path));
  createSecretFile(pinKeyPath(path), secretKeyText(random.bytes(PIN_KEY_BYTES)));
  const log = AuthorityLog.create(logPath(path), siteId, { clock, random, signer: key.signer });
  try {
    log.append(first(key));
  } finally {
    log.close();
  }
}

/** Throws ERR_MESH_AUTHORITY_DAMAGED, ERR_MESH_AUTHORITY_IN_USE, ERR_LEDGER_WRITE_FAILED or ERR_CONFIG_SECRET_EXPOSED. */
export function openAuthorityFiles(path: string, { clock, random }: Deps): AuthorityFiles {
  return notDamaged(path, () => {
    const key = keyIn(path);
    const pinKey = findSecretKey(pinKeyPath(path));
    if (pinKey === undefined || !existsSync(logPath(path))) throw new Error('pin.key or log.db is missing');
    const lock = lockOf(path);
    if (lock === undefined) {
      throw new SparcError('ERR_MESH_AUTHORITY_IN_USE', `another command works on ${path}`, { path });
    }
    try {
      const log = AuthorityLog.open(logPath(path), { clock, random, signer: key.signer });
      return { key, pinKey, log, lock };
    } catch (error) {
      lock.release();
      throw error;
    }
  });
}

/** A stick that is full or write-protected is not damaged. */
function lockOf(path: string): ExclusiveLock | undefined {
  try {
    return tryLock(join(path, 'authority.lock'));
  } catch (cause) {
    const message = `${path} cannot be written: ${(cause as Error).message}`;
    throw new SparcError('ERR_LEDGER_WRITE_FAILED', message, { path }, { cause });
  }
}

export function closeAuthorityFiles({ log, lock }: AuthorityFiles): void {
  log.close();
  lock.release();
}

/** One code for whatever is wrong with a folder. */
export function notDamaged<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof SparcError && PASSED_ON.has(cause.code)) throw cause;
    const message = `${path} cannot be used: ${(cause as Error).message}`;
    throw new SparcError('ERR_MESH_AUTHORITY_DAMAGED', message, { path }, { cause });
  }
}

const PASSED_ON: ReadonlySet<string> = new Set([
  'ERR_CONFIG_SECRET_EXPOSED',
  'ERR_LEDGER_WRITE_FAILED',
  'ERR_MESH_AUTHORITY_IN_USE',
]);

function makeKey(path: string): void {
  try {
    createSigningKey(keyPath(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new SparcError('ERR_MESH_AUTHORITY_PRESENT', `${keyPath(path)} is there already`, { path });
  }
}

function keyIn(path: string): AuthorityKey {
  const [signer, seed] = [findSigningKey(keyPath(path)), findSigningSeed(keyPath(path))];
  if (signer === undefined || seed === undefined) throw new Error('authority.key is missing');
  return { signer, sealing: { key: toHex(signer.publicKey), seed } };
}
