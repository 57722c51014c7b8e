import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition holds; real time, for tests on real lines. Rejects after `timeoutMs`. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(5);
  }
}

/**
 * For `{ skip: … }` of a subtest: false where the peer is there; else the command that installs it, shown with the
 * skipped test. With CI=true a missing peer is a failure.
 */
export function skipWithout(peer: string, present: boolean, install: string): string | false {
  if (present) return false;
  if (process.env.CI === 'true') throw new Error(`${peer} is missing and CI=true: ${install}`);
  return `${peer} is missing: ${install}`;
}

export const SKIP_WITHOUT_SOCAT = skipWithout(
  'socat',
  spawnSync('socat', ['-V'], { stdio: 'ignore' }).status === 0,
  'apt-get install socat',
);

/** Two pseudo-terminals tied together by socat: a null-modem cable. */
export class PtyPair {
  #socat: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    readonly a: string,
    readonly b: string,
  ) {}

  static async create(): Promise<PtyPair> {
    const folder = await mkdtemp(join(tmpdir(), 'sparc-pty-'));
    const pair = new PtyPair(folder, join(folder, 'a'), join(folder, 'b'));
    await pair.plug();
    return pair;
  }

  async plug(): Promise<void> {
    this.#socat = spawn('socat', [`pty,rawer,link=${this.a}`, `pty,rawer,link=${this.b}`], { stdio: 'ignore' });
    await eventually('socat made its pseudo-terminals', () => existsSync(this.a) && existsSync(this.b));
  }

  /** Both ends vanish, as a USB adapter does. */
  async unplug(): Promise<void> {
    const socat = this.#socat;
    if (socat === undefined) return;
    this.#socat = undefined;
    const ended = new Promise((resolve) => socat.once('exit', resolve));
    socat.kill();
    await ended;
  }

  async remove(): Promise<void> {
    await this.unplug();
    await rm(this.folder, { recursive: true, force: true });
  }
}
