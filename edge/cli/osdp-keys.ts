import { ADDRESS_MAX, type MonitorKey } from '@sparc/protocol/osdp';
import { SparcError } from '@sparc/protocol/errors';
import { loadOsdpKeys } from '../config/index.js';

export const KEYS_OPTION = [
  '--keys <file>',
  'keys as YAML, by device id or address (the form of osdpKeysFile), for its owner alone',
] as const;

/** Every key of the file; those named by an address belong to it, others are tried for all. */
export function monitorKeys(file: string | undefined): readonly MonitorKey[] {
  if (file === undefined) return [];
  return [...loadOsdpKeys(file)].map(([name, scbk]) => (isAddress(name) ? { scbk, address: Number(name) } : { scbk }));
}

/** The key of one device, by its name in the file. @throws ERR_CLI_USAGE where the file has none. */
export function deviceKey(file: string, name: string): Uint8Array {
  const key = loadOsdpKeys(file).get(name);
  if (key !== undefined) return key;
  throw new SparcError('ERR_CLI_USAGE', `${file} has no key named ${name}: name one of its keys with --key`);
}

const isAddress = (name: string): boolean => /^[0-9]{1,3}$/.test(name) && Number(name) <= ADDRESS_MAX;
