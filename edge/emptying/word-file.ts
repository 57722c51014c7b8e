import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import type { Clock } from '@sparc/protocol/ports';
import { NewestSaver, StateFile } from '../platform/index.js';
import { CLOUD_WORDS_MAX, type CloudWords } from './cloud-words.js';

/** In a data directory: acknowledgements of the cloud, as it signed them. */
export const CLOUD_WORDS_FILE = 'cloud-words.json';

const SavedWords = Type.Object(
  { words: Type.Array(Type.String(), { maxItems: CLOUD_WORDS_MAX }) },
  { additionalProperties: false },
);

export interface WordFileDeps {
  readonly clock: Clock;
  readonly words: CloudWords;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** Keeps words of the cloud over restarts. They are signed, so what the file says is judged as what anybody else says. */
export class WordFile {
  readonly #file: StateFile<typeof SavedWords>;
  readonly #saver: NewestSaver;

  constructor(
    private readonly deps: WordFileDeps,
    dataDir: string,
  ) {
    const { clock, words, onFailure } = deps;
    this.#file = new StateFile(join(dataDir, CLOUD_WORDS_FILE), SavedWords, 'ERR_LINK_ACKNOWLEDGEMENT_INVALID');
    this.#saver = new NewestSaver({
      clock,
      save: () => this.#file.save({ words: words.kept.map(({ signed }) => Buffer.from(signed).toString('base64')) }),
      onFailure: (error) => onFailure(error, 'words of the cloud cannot be kept'),
    });
  }

  /** What cannot be read is lost: others have words, too, and the cloud says new ones. */
  load(): void {
    try {
      for (const word of this.#file.load()?.words ?? []) this.deps.words.take(Buffer.from(word, 'base64'));
    } catch (error) {
      this.deps.onFailure(error, 'words of the cloud that were kept cannot be read');
    }
  }

  /** As `CloudWords.hear`. */
  hear(signed: Uint8Array): void {
    if (this.deps.words.hear(signed)) this.#save();
  }

  /** As `CloudWords.take`. */
  take(signed: Uint8Array): void {
    if (this.deps.words.take(signed)) this.#save();
  }

  async stop(): Promise<void> {
    await this.#saver.stop();
  }

  #save(): void {
    this.#saver.changed();
    void this.#saver.save();
  }
}
