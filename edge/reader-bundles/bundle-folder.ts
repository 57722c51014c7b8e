import { copyFile, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import { readBundle, readPayload, type Bundle } from './bundle.js';

const FOLDER = 'reader-bundles';
const SUFFIX = '.bundle';
const ID = /^[0-9a-f]{16}$/;

const pathOf = (dataDir: string, id: string): string => join(dataDir, FOLDER, `${id}${SUFFIX}`);

/**
 * Copies a bundle into the data directory once it was found whole and authentic.
 * Throws ERR_BUNDLE_UNREADABLE, ERR_BUNDLE_DAMAGED or ERR_BUNDLE_NOT_AUTHENTIC.
 */
export async function importBundle(dataDir: string, path: string, signers: readonly Uint8Array[]): Promise<Bundle> {
  const { id, manifest } = await readPayload(path, signers);
  try {
    await mkdir(join(dataDir, FOLDER), { recursive: true, mode: 0o700 });
    const part = join(dataDir, FOLDER, `${id}.part`);
    await copyFile(path, part);
    await rename(part, pathOf(dataDir, id));
  } catch (cause) {
    throw new SparcError('ERR_BUNDLE_UNREADABLE', `${path}: ${(cause as Error).message}`, { path }, { cause });
  }
  return { id, manifest };
}

/** The imported bundles that are signed by somebody who is trusted; others are passed over. */
export async function listBundles(dataDir: string, signers: readonly Uint8Array[]): Promise<Bundle[]> {
  const names = await readdir(join(dataDir, FOLDER)).catch(() => []);
  const paths = names.filter((name) => name.endsWith(SUFFIX)).sort();
  const read = await Promise.all(
    paths.map((name) => readBundle(join(dataDir, FOLDER, name), signers).catch(() => undefined)),
  );
  return read.filter((bundle) => bundle !== undefined);
}

/** An imported bundle with its payload. Throws ERR_BUNDLE_UNKNOWN, or as `readPayload`. */
export async function loadBundle(dataDir: string, id: string, signers: readonly Uint8Array[]) {
  const known = ID.test(id) && (await listBundles(dataDir, signers)).some((bundle) => bundle.id === id);
  if (!known) throw new SparcError('ERR_BUNDLE_UNKNOWN', `there is no bundle ${id}`, { bundle: id });
  return readPayload(pathOf(dataDir, id), signers);
}
