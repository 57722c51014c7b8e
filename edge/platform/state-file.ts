import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import { replaceFileDurablyLater } from './durable-file.js';
import { readSecretFile } from './secret-file.js';

/** What a part of the gateway keeps over restarts: JSON of a schema, mode 0600, replaced whole. */
export class StateFile<S extends TSchema> {
  constructor(
    private readonly path: string,
    private readonly schema: S,
    /** Of a file that is there and is not what was saved. */
    private readonly damagedCode: ErrorCode,
  ) {}

  /** Undefined where there was none. Throws the code of damage, ERR_CONFIG_UNREADABLE or ERR_CONFIG_SECRET_EXPOSED. */
  load(): Static<S> | undefined {
    const bytes = readSecretFile(this.path);
    if (bytes === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(bytes).toString('utf8'));
    } catch (cause) {
      throw this.#damaged(cause);
    }
    if (!Value.Check(this.schema, value)) throw this.#damaged();
    return value;
  }

  save(state: Static<S>): Promise<void> {
    return replaceFileDurablyLater(this.path, Buffer.from(`${JSON.stringify(state)}\n`), 0o600);
  }

  #damaged(cause?: unknown): SparcError {
    return new SparcError(this.damagedCode, `${this.path} is damaged`, { path: this.path }, { cause });
  }
}
