import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { freePort } from '@sparc/simulator/live';
import { readRepositoryFile } from '../../support/repository.js';

const PATIENCE_MS = 30_000;

/** The programs of the README, by the name in their first line. */
const PROGRAMS = new Map(
  [...readRepositoryFile('protocol/osdp/README.md').matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(
    ([, name = '', code = '']) => [name, code],
  ),
);

/** A program that runs, and the lines that it has printed. */
class Program {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  #wake: () => void = () => undefined;

  constructor(folder: string, name: string, ...args: readonly string[]) {
    const path = join(folder, name);
    writeFileSync(path, PROGRAMS.get(name) ?? '');
    this.#process = spawn(process.execPath, [path, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    let rest = '';
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.lines.push(...lines);
      this.#wake();
    });
    this.#process.on('exit', () => this.#wake());
  }

  /** Resolves when the line was printed. Rejects when the program ends, or nothing comes for too long. */
  async printed(line: string | RegExp): Promise<void> {
    const matches = (printed: string) => (typeof line === 'string' ? printed === line : line.test(printed));
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    deadline.addEventListener('abort', () => this.#wake());
    while (!this.lines.some(matches)) {
      if (deadline.aborted || this.#process.exitCode !== null) {
        throw new Error(`not printed: ${line}\n${this.lines.join('\n')}`);
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  end(): Promise<void> {
    if (this.#process.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#process.on('exit', () => resolve());
      this.#process.kill('SIGKILL');
    });
  }
}

t.test('the three programs of the README run as they are, and a card opens the door', async (t) => {
  t.strictSame([...PROGRAMS.keys()], ['pd.mjs', 'acu.mjs', 'monitor.mjs']);
  // Within the package of the tests, where `@sparc/protocol` is found.
  const parent = join(import.meta.dirname, 'readme');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'run-'));
  const programs: Program[] = [];
  t.teardown(async () => {
    for (const program of programs) await program.end();
    rmSync(folder, { recursive: true });
  });
  const run = (name: string, ...args: readonly string[]) => {
    const program = new Program(folder, name, ...args);
    programs.push(program);
    return program;
  };
  writeFileSync(join(folder, 'scbk.hex'), `${randomBytes(16).toString('hex')}\n`);
  const [readerPort, monitorPort] = [`${await freePort()}`, `${await freePort()}`];

  const reader = run('pd.mjs', readerPort);
  await reader.printed('reader ready');
  const monitor = run('monitor.mjs', monitorPort, readerPort);
  await monitor.printed('listening');
  const controller = run('acu.mjs', monitorPort);

  await controller.printed('online, secure');
  await controller.printed('RAW {reader=0 format=1 bitCount=26 bits=***}');
  await controller.printed('unlock acknowledged');
  await reader.printed('lock released');
  await reader.printed('lock locked');
  await monitor.printed(/^acu .*OUT/);
  await monitor.printed(/^pd .*26/);
  t.notOk(controller.lines.some((line) => line.startsWith('ALARM')));
  t.notOk(
    [...controller.lines, ...monitor.lines].some((line) => /3f8a21c0/i.test(line)),
    'no card number in any text',
  );
});
