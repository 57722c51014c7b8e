import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ServeRole } from '@sparc/cloud-sync/main';
import { freePort } from '@sparc/simulator/live';
import { eventually } from './peers.js';
import { REPOSITORY } from './repository.js';

const PROGRAM = join(REPOSITORY, 'cloud-sync', 'bin', 'sparc-cloud.js');
const READY_MAX_MS = 120_000;

/** A process of the cloud that has one role. */
export class CloudRole {
  #child: ChildProcess | undefined;

  private constructor(
    readonly role: ServeRole,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly operationsPort: number,
  ) {}

  /** Nothing runs yet. */
  static async of(role: ServeRole, environment: NodeJS.ProcessEnv): Promise<CloudRole> {
    return new CloudRole(role, environment, await freePort());
  }

  /** Also after `kill`. Resolves when it is ready. */
  async run(): Promise<void> {
    const env = { ...this.environment, OPERATIONS_PORT: String(this.operationsPort) };
    this.#child = spawn(process.execPath, [PROGRAM, 'serve', '--roles', this.role], { env, stdio: 'ignore' });
    await eventually(`${this.role} is ready`, () => this.#isReady(), READY_MAX_MS);
  }

  /** Idempotent. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** How often it refused something for this reason. */
  async refusedCount(code: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.operationsPort}/metrics`);
    const found = new RegExp(`^sparc_cloud_refusals_total\\{code="${code}"\\} (\\d+)$`, 'm').exec(
      await response.text(),
    );
    return Number(found?.[1] ?? 0);
  }

  async #isReady(): Promise<boolean> {
    if (this.#child?.exitCode !== null) throw new Error(`${this.role} ended`);
    try {
      return (await fetch(`http://127.0.0.1:${this.operationsPort}/readyz`)).ok;
    } catch {
      return false;
    }
  }
}
