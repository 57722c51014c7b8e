import { basename } from 'node:path';
import { Type } from '@sinclair/typebox';
import { SparcError } from '@sparc/protocol/errors';
import { readSecretFile } from '../platform/secret-file.js';
import { loadDocument } from './load-document.js';
import { documentError, problemsOf } from './problem.js';

const OsdpKeys = Type.Record(
  Type.String(),
  Type.String({ pattern: '^[0-9a-fA-F]{32}$', description: '32 hexadecimal digits in quotes (SCBK, 128 bits)' }),
);

/** The key every device leaves the factory with (IEC 60839-11-5, Annex D.2); anybody knows it. */
const SCBK_D = '303132333435363738393a3b3c3d3e3f';

/**
 * Secure Channel base keys by device id. Throws ERR_CONFIG_UNREADABLE, ERR_CONFIG_SECRET_EXPOSED when others can read
 * the file, or ERR_CONFIG_INVALID with every problem at once; no message shows a key.
 */
export function loadOsdpKeys(path: string): ReadonlyMap<string, Uint8Array> {
  const bytes = readSecretFile(path);
  if (bytes === undefined) {
    throw new SparcError('ERR_CONFIG_UNREADABLE', `${path} cannot be read: there is no such file`, { path });
  }
  const fileName = basename(path);
  const { value, source } = withoutKeys(fileName, () =>
    loadDocument(OsdpKeys, Buffer.from(bytes).toString('utf8'), fileName),
  );
  const defaults = Object.entries(value).filter(([, key]) => key.toLowerCase() === SCBK_D);
  if (defaults.length > 0) {
    throw documentError(
      'ERR_CONFIG_INVALID',
      fileName,
      defaults.map(([device]) =>
        source.problem('ERR_CONFIG_INVALID', [device], 'is the default key SCBK-D, which secures nothing'),
      ),
    );
  }
  return new Map(Object.entries(value).map(([device, key]) => [device, Uint8Array.from(Buffer.from(key, 'hex'))]));
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
