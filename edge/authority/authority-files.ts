import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Random, Signer } from '@sparc/protocol/ports';
import {
  createSecretFile,
  createSigningKey,
  findSecretKey,
  findSigningKey,
  findSigningSeed,
  secretKeyText,
  tryLock,
  type ExclusiveLock,
} from '../platform/index.js';
import { AuthorityLog, type AuthorityDraft } from './authority-log.js';

const PIN_KEY_BYTES = 32;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
}

/** What is in the folder of an authority, held by whoever works on it. */
export interface AuthorityFiles {
  readonly signer: Signer;
  /** That the signer's key is made from, 32 bytes. */
  readonly seed: Uint8Array;
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
  first: (signer: Signer) => readonly AuthorityDraft[],
): void {
  const signer = newKey(path);
  createSecretFile(pinKeyPath(path), secretKeyText(random.bytes(PIN_KEY_BYTES)));
  const log = AuthorityLog.create(logPath(path), siteId, { clock, random, signer });
  try {
    log.append(first(signer));
  } finally {
    log.close();
  }
}

/** Throws ERR_MESH_AUTHORITY_DAMAGED, ERR_MESH_AUTHORITY_IN_USE, ERR_LEDGER_WRITE_FAILED or ERR_CONFIG_SECRET_EXPOSED. */
export function openAuthorityFiles(path: string, { clock, random }: Deps): AuthorityFiles {
  return notDamaged(path, () => {
    const [signer, seed] = [findSigningKey(keyPath(path)), findSigningSeed(keyPath(path))];
    const pinKey = findSecretKey(pinKeyPath(path));
    if (signer === undefined || seed === undefined || pinKey === undefined || !existsSync(logPath(path))) {
      throw new Error('authority.key, pin.key or log.db is missing');
    }
    const lock = lockOf(path);
    if (lock === undefined) {
      throw new SparcError('ERR_MESH_AUTHORITY_IN_USE', `another command works on ${path}`, { path });
    }
    try {
      return { signer, seed, pinKey, log: AuthorityLog.open(logPath(path), { clock, random, signer }), lock };
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

function newKey(path: string): Signer {
  try {
    return createSigningKey(keyPath(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new SparcError('ERR_MESH_AUTHORITY_PRESENT', `${keyPath(path)} is there already`, { path });
  }
}
