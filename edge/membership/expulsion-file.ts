import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import { headFromText, headToText } from '@sparc/protocol/ledger';
import { ATTESTED_HEADS_MAX, EXPELLED_MAX, MEMBERS_MAX, type Expulsion } from '@sparc/protocol/roster';
import { StateFile } from '../platform/index.js';
import type { ExpulsionStore } from './expulsion-book.js';

const HEAD_LENGTH_MAX = 1_024;

/** As JSON, in a file or between processes. */
export const ExpulsionTexts = Type.Array(
  Type.Object(
    {
      key: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      heads: Type.Array(Type.String({ maxLength: HEAD_LENGTH_MAX }), { maxItems: ATTESTED_HEADS_MAX }),
    },
    { additionalProperties: false },
  ),
  { maxItems: MEMBERS_MAX + EXPELLED_MAX },
);
export type ExpulsionTexts = Static<typeof ExpulsionTexts>;

export const expulsionsToTexts = (expulsions: readonly Expulsion[]): ExpulsionTexts =>
  expulsions.map(({ key, heads }) => ({ key, heads: heads.map(headToText) }));

/** Throws ERR_LEDGER_MALFORMED; signatures are not looked at. */
export const expulsionsFromTexts = (texts: ExpulsionTexts): Expulsion[] =>
  texts.map(({ key, heads }) => ({ key, heads: heads.map(headFromText) }));

/** Keeps whom operators expelled, in `mesh/expelled.json` of the data directory. */
export class ExpulsionFile implements ExpulsionStore {
  readonly #path: string;
  readonly #file: StateFile<typeof ExpulsionTexts>;

  constructor(private readonly dataDir: string) {
    this.#path = join(dataDir, 'mesh', 'expelled.json');
    this.#file = new StateFile(this.#path, ExpulsionTexts, 'ERR_MESH_MEMBERSHIP_DAMAGED');
  }

  load(): readonly Expulsion[] {
    const texts = this.#file.load() ?? [];
    try {
      return expulsionsFromTexts(texts);
    } catch (cause) {
      const { dataDir } = this;
      const message = `mesh/expelled.json of ${dataDir} is damaged`;
      throw new SparcError('ERR_MESH_MEMBERSHIP_DAMAGED', message, { dataDir }, { cause });
    }
  }

  /** A list that cannot be read is given up: whoever is still to be out is expelled again. */
  repair(): void {
    try {
      this.load();
    } catch (error) {
      if (!isSparcError(error, 'ERR_MESH_MEMBERSHIP_DAMAGED')) throw error;
      rmSync(this.#path);
    }
  }

  save(expulsions: readonly Expulsion[]): Promise<void> {
    return this.#file.save(expulsionsToTexts(expulsions));
  }
}
