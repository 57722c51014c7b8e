import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';
import { readSecretFile, replaceFileDurablyLater } from '../platform/index.js';
import { ClockState } from './clock-state.js';
import type { ClockStore } from './site-clock.js';

/** Of the data directory, mode 0600. */
const CLOCK_FILE = 'clock.json';

const Content = Type.Object(
  { bootId: Type.Optional(Type.String()), state: ClockState },
  { additionalProperties: false },
);
/** The clock, and the run of the machine that it was last seen in. */
export type SavedClock = Static<typeof Content>;

/** Keeps what is known of the clock in a file that is replaced whole. */
export class ClockFile implements ClockStore {
  readonly #path: string;

  constructor(dataDir: string) {
    this.#path = join(dataDir, CLOCK_FILE);
  }

  /** Undefined where there was none. Throws ERR_GATEWAY_CLOCK_DAMAGED, ERR_CONFIG_UNREADABLE or ERR_CONFIG_SECRET_EXPOSED. */
  load(): SavedClock | undefined {
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

  save(saved: SavedClock): Promise<void> {
    return replaceFileDurablyLater(this.#path, Buffer.from(`${JSON.stringify(saved)}\n`), 0o600);
  }

  #damaged(cause?: unknown): SparcError {
    return new SparcError('ERR_GATEWAY_CLOCK_DAMAGED', `${this.#path} is damaged`, { path: this.#path }, { cause });
  }
}
