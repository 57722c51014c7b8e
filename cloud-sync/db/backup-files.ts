import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';

const Manifest = Type.Object({
  format: Type.Literal(1),
  madeAt: Type.String(),
  /** Of the database. */
  schema: Type.Object({ major: Type.Integer(), minor: Type.Integer() }),
  kind: Type.Union([Type.Literal('postgres'), Type.Literal('pglite')]),
  /** Of the dump, in hex. */
  sha256: Type.String(),
  tables: Type.Array(Type.Object({ table: Type.String(), rowsCount: Type.Integer(), digest: Type.String() })),
});
export type Manifest = Static<typeof Manifest>;

export const dumpFile = (folder: string): string => join(folder, 'database.dump');
const manifestFile = (folder: string) => join(folder, 'manifest.json');

/** Throws ERR_CLI_WRITE_FAILED where there is something of this name. */
export async function makeBackupFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    throw new SparcError(
      'ERR_CLI_WRITE_FAILED',
      `${folder}: ${(error as Error).message}`,
      { folder },
      { cause: error },
    );
  }
}

/** Comes last: without it there is no backup. */
export async function writeManifest(folder: string, manifest: Omit<Manifest, 'format' | 'sha256'>): Promise<Manifest> {
  const whole: Manifest = { format: 1, ...manifest, sha256: await flushAndDigest(dumpFile(folder)) };
  const file = await open(manifestFile(folder), 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(whole, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return whole;
}

/** So that the names in it stay as they are. */
export async function syncFolder(folder: string): Promise<void> {
  const opened = await open(folder, 'r');
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

async function flushAndDigest(path: string): Promise<string> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  return digestOf(path);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Of a backup whose dump is as it was written. Throws ERR_DATABASE_BACKUP_DAMAGED. */
export async function readManifest(folder: string): Promise<Manifest> {
  const damaged = (why: string, cause?: unknown) =>
    new SparcError('ERR_DATABASE_BACKUP_DAMAGED', `${folder}: ${why}`, { folder }, { cause });
  const read = async <T>(what: Promise<T>): Promise<T> => {
    try {
      return await what;
    } catch (error) {
      throw damaged((error as Error).message, error);
    }
  };
  const manifest: unknown = await read(readFile(manifestFile(folder), 'utf8').then(JSON.parse));
  if (!Value.Check(Manifest, manifest)) throw damaged('manifest.json is none of this version');
  if ((await read(digestOf(dumpFile(folder)))) !== manifest.sha256) throw damaged('database.dump was altered');
  return manifest;
}
