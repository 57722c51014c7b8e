import { readFileSync, statSync } from 'node:fs';
import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';
import type { Signer } from '@sparc/protocol/ports';
import { createFileDurably, replaceFileDurably, toHex } from '../platform/index.js';

/** True when the signature over the message is by the key that may change who enters. */
export type Verify = (message: Uint8Array, signature: Uint8Array) => boolean;

/** What a signed file is about: part of what is signed, so that one kind never passes for another. */
export type SignedKind = 'generation' | 'emergency' | 'confirmation';

const SIZE_MAX_BYTES = 16 * 1_048_576;

/** The signature covers the kind and the second line as it stands: no canonical form to get wrong. */
function signedBytes(kind: SignedKind, body: string): Uint8Array {
  return Buffer.from(`sparc policy ${kind} 1\n${body}`);
}

/** Two lines of JSON: the signature, and the body that it covers. */
export function writeSignedFile(path: string, kind: SignedKind, body: unknown, signer: Signer): void {
  createFileDurably(path, signedFile(kind, body, signer));
}

/** As `writeSignedFile`, in the place of the one that is there. */
export function replaceSignedFile(path: string, kind: SignedKind, body: unknown, signer: Signer): void {
  replaceFileDurably(path, signedFile(kind, body, signer));
}

function signedFile(kind: SignedKind, body: unknown, signer: Signer): Uint8Array {
  const text = JSON.stringify(body);
  const signature = toHex(signer.sign(signedBytes(kind, text)));
  return Buffer.from(`${JSON.stringify({ signature })}\n${text}\n`);
}

/** Throws ERR_POLICY_CORRUPT, or ERR_POLICY_NOT_AUTHENTIC when the file is whole and the signature does not fit. */
export function readSignedFile<T extends TSchema>(
  path: string,
  kind: SignedKind,
  schema: T,
  verify: Verify,
): Static<T> {
  const corrupt = (why: string, cause?: unknown) =>
    new SparcError('ERR_POLICY_CORRUPT', `${path} is damaged: ${why}`, { path }, { cause });
  let lines: string[];
  try {
    if (statSync(path).size > SIZE_MAX_BYTES) throw corrupt('it is too large');
    lines = readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    throw error instanceof SparcError ? error : corrupt((error as Error).message, error);
  }
  const [head = '', body = '', end] = lines;
  const signature = /^\{"signature":"([0-9a-f]{128})"\}$/.exec(head)?.[1];
  if (signature === undefined || end !== '' || lines.length !== 3) throw corrupt('it is not two whole lines');
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw corrupt('it is no JSON', error);
  }
  if (!verify(signedBytes(kind, body), Buffer.from(signature, 'hex'))) {
    throw new SparcError('ERR_POLICY_NOT_AUTHENTIC', `${path} is not signed by this gateway`, { path });
  }
  if (!Value.Check(schema, value)) throw corrupt('it lacks a field');
  return value;
}
