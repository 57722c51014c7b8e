import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { StateFile } from '../platform/index.js';

/** Of the data directory. */
const LINKAGE_FILE = 'linkage.json';

/** By public key, in hex: the newest entry of another gateway of which the own part was done. */
const Done = Type.Record(
  Type.String({ pattern: '^[0-9a-f]{64}$' }),
  Type.Object({ epoch: Type.Integer(), sequence: Type.Integer() }, { additionalProperties: false }),
  { additionalProperties: false },
);
export type DoneEntries = Static<typeof Done>;

export interface LinkageStore {
  load(): DoneEntries | undefined;
  save(done: DoneEntries): Promise<void>;
}

/** Keeps what was done for rules that ran at other gateways. */
export class LinkageFile extends StateFile<typeof Done> implements LinkageStore {
  constructor(dataDir: string) {
    super(join(dataDir, LINKAGE_FILE), Done, 'ERR_GATEWAY_LINKAGE_DAMAGED');
  }
}

/** Forgets with the process. */
export const VOLATILE_LINKAGE: LinkageStore = { load: () => undefined, save: () => Promise.resolve() };
