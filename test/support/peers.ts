import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MIN_MS = 5;
const LOOK_MAX_MS = 100;

/** Until the next look at what was waited for so long: looking takes time from what is awaited. */
export const lookPause = (waitedMs: number): Promise<void> =>
  sleep(Math.min(LOOK_MAX_MS, Math.max(LOOK_MIN_MS, waitedMs / 20)));

/**
 * Whether what is awaited will not come any more: where several programs want each processor, everything takes as many times
 * as long, and `timeoutMs` is so many times as much.
 */
export function isOverdue(waitedMs: number, timeoutMs: number): boolean {
  const [wantingCount = 0] = loadavg();
  return waitedMs > timeoutMs * Math.max(1, wantingCount / availableParallelism());
}

/** Waits until the condition holds; real time, for tests on real lines. Rejects when it is overdue. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const fromMs = performance.now();
  while (!(await condition())) {
    const waitedMs = performance.now() - fromMs;
    if (isOverdue(waitedMs, timeoutMs)) throw new Error(`not within ${Math.round(waitedMs)} ms: ${what}`);
    await lookPause(waitedMs);
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
