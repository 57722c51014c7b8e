import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { Random } from '@sparc/protocol/ports';

/** Any permission of group or others. */
const OTHERS = 0o077;
const SECRET_BYTES = 32;
let writesCount = 0;

/**
 * Reads a secret that only its owner can read, or returns undefined when there is no such file.
 * Throws ERR_CONFIG_SECRET_EXPOSED, or ERR_CONFIG_UNREADABLE.
 */
export function readSecretFile(path: string): Buffer | undefined {
  try {
    const mode = statSync(path).mode & 0o777;
    if ((mode & OTHERS) === 0) return readFileSync(path);
    const message = `${path} holds a secret and others can reach it (mode ${mode.toString(8)}): run \`chmod 600\` on it`;
    throw new SparcError('ERR_CONFIG_SECRET_EXPOSED', message, { path });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SparcError) throw error;
    throw new SparcError('ERR_CONFIG_UNREADABLE', `${path}: ${(error as Error).message}`, { path }, { cause: error });
  }
}

/**
 * Makes a secret whole and on disk for good, with mode 0600 in a folder with mode 0700, and returns what is there then:
 * where two processes make one at a time, both have the same.
 */
export function keepSecretFile(path: string, bytes: Uint8Array): Uint8Array {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writesCount += 1;
  const beside = `${path}.${process.pid}-${writesCount}.tmp`;
  writeFileSync(beside, bytes, { mode: 0o600, flush: true });
  try {
    linkSync(beside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(beside);
  }
  flushFolder(dirname(path));
  return readSecretFile(path) ?? bytes;
}

/** 32 bytes that are made at the first start. Throws as `readSecretFile`, and ERR_CONFIG_SECRET_CORRUPT. */
export function keptSecret(path: string, random: Random): Uint8Array {
  const secret = readSecretFile(path) ?? keepSecretFile(path, random.bytes(SECRET_BYTES));
  if (secret.length === SECRET_BYTES) return secret;
  throw new SparcError('ERR_CONFIG_SECRET_CORRUPT', `${path} does not hold ${SECRET_BYTES} bytes`, { path });
}

function flushFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
