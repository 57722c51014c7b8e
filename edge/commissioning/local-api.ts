import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Of the data directory, mode 0600: whoever can read it may open a commissioning window. */
export const LOCAL_API_FILE = 'local-api.json';

export interface LocalApi {
  /** Absent until the API listens. */
  readonly url?: string;
  readonly token: string;
}

/** Tells programs on this machine where the running gateway's API is, and gives them its token. */
export class LocalApiFile {
  readonly #path: string;
  #turns: Promise<void> = Promise.resolve();

  constructor(
    dataDir: string,
    private readonly onFailure: (error: unknown) => void,
  ) {
    this.#path = join(dataDir, LOCAL_API_FILE);
  }

  /** Not flushed: after a power cut there is another token anyway, and no poll waits for this. */
  write(content: LocalApi): void {
    this.#inTurn(async () => {
      const temporary = `${this.#path}.tmp`;
      await rm(temporary, { force: true });
      await writeFile(temporary, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: 'wx' });
      await rename(temporary, this.#path);
    });
  }

  async remove(): Promise<void> {
    this.#inTurn(() => rm(this.#path, { force: true }));
    await this.#turns;
  }

  #inTurn(work: () => Promise<void>): void {
    this.#turns = this.#turns.then(work).catch(this.onFailure);
  }
}
