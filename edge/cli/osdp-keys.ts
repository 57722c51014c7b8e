import { ADDRESS_MAX, assertStrongKey, CodecError, type MonitorKey } from '@sparc/protocol/osdp';
import { SparcError } from '@sparc/protocol/errors';
import { readOsdpKeys } from '../config/index.js';

export const KEYS_OPTION = [
  '--keys <file>',
  'keys as YAML, by device id or address (the form of osdpKeysFile), for its owner alone',
] as const;

/** Every key of the file; those named by an address belong to it, others are tried for all. */
export function monitorKeys(file: string | undefined): readonly MonitorKey[] {
  if (file === undefined) return [];
  return [...readOsdpKeys(file)].map(([name, scbk]) => (isAddress(name) ? { scbk, address: Number(name) } : { scbk }));
}

/** The key of one device, by its name in the file. @throws SparcError where the file has none, or a weak one. */
export function deviceKey(file: string, name: string): Uint8Array {
  const key = readOsdpKeys(file).get(name);
  if (key === undefined) {
    throw new SparcError('ERR_CLI_USAGE', `${file} has no key named ${name}: name one of its keys with --key`);
  }
  try {
    assertStrongKey(key);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new SparcError(error.code, `${file}: ${name}: ${error.message}`, { file }, { cause: error });
  }
  return key;
}

const isAddress = (name: string): boolean => /^[0-9]{1,3}$/.test(name) && Number(name) <= ADDRESS_MAX;
