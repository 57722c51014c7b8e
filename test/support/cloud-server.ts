import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ServeRole } from '@sparc/cloud-sync/main';
import { freePort } from '@sparc/simulator/live';
import { eventually } from './peers.js';
import { REPOSITORY } from './repository.js';

const PROGRAM = join(REPOSITORY, 'cloud-sync', 'bin', 'sparc-cloud.js');
const READY_MAX_MS = 120_000;

/** A process of `sparc-cloud serve`. */
export class CloudServer {
  #child: ChildProcess | undefined;

  private constructor(
    private readonly environment: NodeJS.ProcessEnv,
    private readonly operationsPort: number,
    /** Absent: it has all. */
    readonly role: ServeRole | undefined,
  ) {}

  /** Nothing runs yet. */
  static async of(environment: NodeJS.ProcessEnv, role?: ServeRole): Promise<CloudServer> {
    return new CloudServer(environment, await freePort(), role);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Also after an end. */
  start(): void {
    const env = { ...this.environment, OPERATIONS_PORT: String(this.operationsPort) };
    const roles = this.role === undefined ? [] : ['--roles', this.role];
    this.#child = spawn(process.execPath, [PROGRAM, 'serve', ...roles], { env, stdio: 'ignore' });
  }

  async ready(): Promise<void> {
    await eventually(
      `${this.role ?? 'the cloud'} is ready`,
      async () => {
        if (this.#child?.exitCode !== null) throw new Error(`${this.role ?? 'the cloud'} ended`);
        return (await this.status('/readyz')) === 200;
      },
      READY_MAX_MS,
    );
  }

  /** What it answers about itself; undefined: it does not. */
  async status(path: '/healthz' | '/readyz'): Promise<number | undefined> {
    try {
      return (await fetch(this.#operations(path))).status;
    } catch {
      return undefined;
    }
  }

  /** Its exit code, null where the signal ended it. Idempotent. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null | undefined> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return child?.exitCode;
    const ended = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    const [exitCode] = await ended;
    return exitCode;
  }

  /** How often it refused something for this reason. */
  async refusedCount(code: string): Promise<number> {
    const response = await fetch(this.#operations('/metrics'));
    const found = new RegExp(`^sparc_cloud_refusals_total\\{code="${code}"\\} (\\d+)$`, 'm').exec(
      await response.text(),
    );
    return Number(found?.[1] ?? 0);
  }

  #operations(path: string): string {
    return `http://127.0.0.1:${this.operationsPort}${path}`;
  }
}
