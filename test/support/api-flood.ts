import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Clients that ask an API as fast as it answers, in a process of their own. */
export class ApiFlood {
  readonly #child: ChildProcess;

  constructor(apiUrl: string, connectionCount = 32) {
    const program = join(import.meta.dirname, 'api-flood-program.js');
    this.#child = spawn(process.execPath, [program, apiUrl, String(connectionCount)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  /** How many answers came. */
  async stop(): Promise<number> {
    let said = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    await ended;
    return Number(said);
  }
}
