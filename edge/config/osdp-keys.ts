import { basename } from 'node:path';
import { Type } from '@sinclair/typebox';
import { documentError, problemsOf } from '@sparc/protocol/document';
import { SparcError } from '@sparc/protocol/errors';
import { assertStrongKey, CodecError } from '@sparc/protocol/osdp';
import { readSecretFile } from '../platform/secret-file.js';
import { loadDocument } from './load-document.js';

const OsdpKeys = Type.Record(
  Type.String(),
  Type.String({ pattern: '^[0-9a-fA-F]{32}$', description: '32 hexadecimal digits in quotes (SCBK, 128 bits)' }),
);

/**
 * Secure Channel base keys by device id. Throws ERR_CONFIG_UNREADABLE, ERR_CONFIG_SECRET_EXPOSED when others can read
 * the file, or ERR_CONFIG_INVALID with every problem at once, weak keys among them; no message shows a key.
 */
export function loadOsdpKeys(path: string): ReadonlyMap<string, Uint8Array> {
  const { fileName, keys, source } = parseOsdpKeys(path);
  const weak = [...keys].flatMap(([device, key]) => {
    const weakness = weaknessOf(key);
    if (weakness === undefined) return [];
    const message = `${weakness}, so others have it too: take 16 random bytes, such as \`openssl rand -hex 16\` prints`;
    return [source.problem('ERR_CONFIG_INVALID', [device], message)];
  });
  if (weak.length > 0) throw documentError('ERR_CONFIG_INVALID', fileName, weak);
  return keys;
}

/** The same with weak keys, to read along where somebody uses them: nothing is sent under these. */
export const readOsdpKeys = (path: string): ReadonlyMap<string, Uint8Array> => parseOsdpKeys(path).keys;

function parseOsdpKeys(path: string) {
  const bytes = readSecretFile(path);
  if (bytes === undefined) {
    throw new SparcError('ERR_CONFIG_UNREADABLE', `${path} cannot be read: there is no such file`, { path });
  }
  const fileName = basename(path);
  const { value, source } = withoutKeys(fileName, () =>
    loadDocument(OsdpKeys, Buffer.from(bytes).toString('utf8'), fileName),
  );
  const keys = new Map(
    Object.entries(value).map(([device, key]) => [device, Uint8Array.from(Buffer.from(key, 'hex'))] as const),
  );
  return { fileName, keys, source };
}

function weaknessOf(key: Uint8Array): string | undefined {
  try {
    assertStrongKey(key);
    return undefined;
  } catch (error) {
    if (error instanceof CodecError) return error.message;
    throw error;
  }
}

/** Name and key may stand in each other's place: whatever looks like a key is taken out of the problems. */
function withoutKeys<T>(fileName: string, load: () => T): T {
  try {
    return load();
  } catch (error) {
    const problems = problemsOf(error);
    if (problems.length === 0) throw error;
    const mask = (text: string) => text.replace(/[0-9a-fA-F]{32}/g, '(a key)');
    throw documentError(
      'ERR_CONFIG_INVALID',
      fileName,
      problems.map((problem) => ({ ...problem, path: mask(problem.path), message: mask(problem.message) })),
    );
  }
}
