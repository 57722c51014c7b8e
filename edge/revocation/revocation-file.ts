import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';
import { readSecretFile, replaceFileDurablyLater } from '../platform/index.js';
import type { LoadedRevocations, RevocationStore } from './revocation-book.js';
import { completeTo, Revocation } from './revocation.js';

/** Of the data directory, mode 0600. */
const REVOCATIONS_FILE = 'revocations.jsonl';

const lineOf = (revocation: Revocation): string => `${JSON.stringify(revocation)}\n`;

/** A line for each revocation. What a power cut left of the last one was never acknowledged. */
export class RevocationFile implements RevocationStore {
  readonly #path: string;
  /** Bytes of whole lines; whatever is behind them is written over. */
  #length = 0;

  constructor(dataDir: string) {
    this.#path = join(dataDir, REVOCATIONS_FILE);
  }

  load(): LoadedRevocations {
    let bytes: Uint8Array;
    try {
      bytes = readSecretFile(this.#path) ?? new Uint8Array(0);
    } catch (cause) {
      return { revocations: [], error: this.#damaged(cause) };
    }
    this.#length = bytes.lastIndexOf(0x0a) + 1;
    const lines = Buffer.from(bytes.subarray(0, this.#length)).toString('utf8').split('\n').slice(0, -1);
    const revocations = lines.map(parsed).filter((each) => each !== undefined);
    // Whole lines can be lost too. The last ones only the journal knows of.
    const isWhole = revocations.length === lines.length && completeTo(revocations) === revocations.length;
    return isWhole ? { revocations } : { revocations, error: this.#damaged() };
  }

  async append(revocation: Revocation): Promise<void> {
    // A new file is flushed with its folder.
    if (this.#length === 0) return this.replace([revocation]);
    const line = Buffer.from(lineOf(revocation));
    const file = await open(this.#path, 'r+');
    try {
      await file.truncate(this.#length);
      await file.write(line, 0, line.length, this.#length);
      await file.sync();
    } finally {
      await file.close();
    }
    this.#length += line.length;
  }

  async replace(revocations: readonly Revocation[]): Promise<void> {
    const content = Buffer.from(revocations.map(lineOf).join(''));
    await replaceFileDurablyLater(this.#path, content, 0o600);
    this.#length = content.length;
  }

  #damaged(cause?: unknown): SparcError {
    const details = { path: this.#path };
    return new SparcError('ERR_GATEWAY_REVOCATIONS_DAMAGED', `${this.#path} is damaged`, details, { cause });
  }
}

function parsed(line: string): Revocation | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return Value.Check(Revocation, value) ? value : undefined;
  } catch {
    return undefined;
  }
}
