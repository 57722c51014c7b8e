import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { Type, type Static } from '@sinclair/typebox';
import { SparcError } from '@sparc/protocol/errors';
import { TIME_QUALITIES } from '@sparc/protocol/ports';
import { generationFiles } from './generation-files.js';
import { atOnce, type InPieces } from './in-pieces.js';
import { SCHEMA_VERSION } from './migrations.js';
import { readSignedFile, type Verify } from './signed-file.js';

/** What is signed about a generation. */
export const Manifest = Type.Object({
  generation: Type.Integer({ minimum: 1 }),
  /** Names in every record what the generation says. A damaged one of the site's authority is made again under its name. */
  revision: Type.String({ minLength: 1 }),
  siteId: Type.String(),
  schemaVersion: Type.Integer({ minimum: 1 }),
  sizeBytes: Type.Integer({ minimum: 0 }),
  /** Of the database file, lower-case hex. */
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  appliedUnixMs: Type.Integer(),
  timeQuality: Type.Union(TIME_QUALITIES.map((quality) => Type.Literal(quality))),
  /** The authority of the site signed it, under this number. Absent: it was applied on this gateway alone. */
  issued: Type.Optional(Type.Object({ number: Type.Integer({ minimum: 1 }), issuedUnixMs: Type.Integer() })),
  /** The generation that its file was copied from, before what differs was changed. Absent: it was built whole. */
  copyOf: Type.Optional(Type.Integer({ minimum: 1 })),
});
export type Manifest = Static<typeof Manifest>;

interface Fingerprint {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Size and SHA-256 of a file. */
export const fingerprint = (path: string): Fingerprint => atOnce(fingerprintInPieces(path));

/** A generation may be larger than the memory at hand; a piece takes a millisecond. */
function* fingerprintInPieces(path: string): InPieces<Fingerprint> {
  const descriptor = openSync(path, 'r');
  try {
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(262_144);
    let sizeBytes = 0;
    for (let count; (count = readSync(descriptor, piece)) > 0; sizeBytes += count) {
      hash.update(piece.subarray(0, count));
      yield;
    }
    return { sizeBytes, sha256: hash.digest('hex') };
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Checks one generation whole: signature, layout, size and content.
 * Throws ERR_POLICY_CORRUPT, ERR_POLICY_NOT_AUTHENTIC or ERR_POLICY_SCHEMA_VERSION.
 */
export const verifyOne = (dataDir: string, generation: number, verify: Verify): Manifest =>
  atOnce(verifyOneInPieces(dataDir, generation, verify));

/** As `verifyOne`, of a copy of its database at `path`. */
export const verifyCopy = (path: string, dataDir: string, generation: number, verify: Verify): Manifest =>
  atOnce(verifyOneInPieces(dataDir, generation, verify, path));

/** As `verifyOne`. */
export function* verifyOneInPieces(
  dataDir: string,
  generation: number,
  verify: Verify,
  database = generationFiles(dataDir, generation).database,
): InPieces<Manifest> {
  const { manifest: path } = generationFiles(dataDir, generation);
  const manifest = readSignedFile(path, 'generation', Manifest, verify);
  if (manifest.generation !== generation) {
    throw new SparcError('ERR_POLICY_NOT_AUTHENTIC', `${path} was signed for generation ${manifest.generation}`, {
      path,
    });
  }
  if (manifest.schemaVersion !== SCHEMA_VERSION) {
    throw new SparcError(
      'ERR_POLICY_SCHEMA_VERSION',
      `${database} has layout ${manifest.schemaVersion}, this version reads layout ${SCHEMA_VERSION}`,
      { path: database },
    );
  }
  let actual: Fingerprint;
  try {
    actual = yield* fingerprintInPieces(database);
  } catch (cause) {
    throw new SparcError('ERR_POLICY_CORRUPT', `${database} cannot be read`, { path: database }, { cause });
  }
  if (actual.sizeBytes !== manifest.sizeBytes || actual.sha256 !== manifest.sha256) {
    throw new SparcError('ERR_POLICY_CORRUPT', `${database} is not what was signed`, { path: database });
  }
  return manifest;
}
