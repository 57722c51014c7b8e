import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';
import { readSecretFile, replaceFileDurablyLater } from '../platform/index.js';
import type { ModeStore } from './site-mode-keeper.js';
import { OrderedMode } from './orders.js';
import type { SiteMode } from './site-mode.js';

/** Of the data directory, mode 0600. */
const MODE_FILE = 'site-mode.json';

const Act = { by: Type.String(), atUnixMs: Type.Number(), isTimeUnknown: Type.Optional(Type.Literal(true)) };
const Doors = Type.Record(
  Type.String(),
  Type.Object({
    ...Act,
    mode: OrderedMode,
    forMs: Type.Optional(Type.Number()),
    isToggled: Type.Optional(Type.Literal(true)),
  }),
);
const Content = Type.Object(
  {
    lockdown: Type.Optional(Type.Object(Act)),
    threatLevel: Type.Integer(),
    fires: Type.Record(Type.String(), Type.Object(Act)),
    doors: Doors,
    overruled: Type.Optional(Doors),
  },
  { additionalProperties: false },
);

/** Keeps the mode of the site in a file that is replaced whole. */
export class ModeFile implements ModeStore {
  readonly #path: string;

  constructor(dataDir: string) {
    this.#path = join(dataDir, MODE_FILE);
  }

  load(): SiteMode | undefined {
    const bytes = readSecretFile(this.#path);
    if (bytes === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(bytes).toString('utf8'));
    } catch (cause) {
      throw this.#damaged(cause);
    }
    if (!Value.Check(Content, value)) throw this.#damaged();
    return value;
  }

  save(mode: SiteMode): Promise<void> {
    return replaceFileDurablyLater(this.#path, Buffer.from(`${JSON.stringify(mode)}\n`), 0o600);
  }

  #damaged(cause?: unknown): SparcError {
    return new SparcError('ERR_GATEWAY_MODE_DAMAGED', `${this.#path} is damaged`, { path: this.#path }, { cause });
  }
}
