import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MeshView } from '@sparc/edge/api';
import { JOURNAL_FILE, readEntries, type LoggedEntry } from '@sparc/edge/ledger';
import { freePort } from './free-port.js';
import { REPOSITORY } from './repository.js';
import { sparc } from './sparc-command.js';

const BIN = join(REPOSITORY, 'edge', 'bin', 'sparc.js');
const STOP_MAX_MS = 8_000;

/** A gateway without doors in processes of its own: what it holds is its mesh and its journal. */
export class MeshGateway {
  #child: ChildProcess | undefined;
  #output = '';

  private constructor(
    readonly name: string,
    readonly folder: string,
    readonly apiUrl: string,
  ) {}

  static async create(parent: string, name: string): Promise<MeshGateway> {
    const folder = join(parent, name);
    await mkdir(folder);
    const [api, mesh] = [await freePort(), await freePort()];
    const gateway = new MeshGateway(name, folder, `http://127.0.0.1:${api}`);
    const config = {
      gateway: { name },
      dataDir: './data',
      buses: [],
      api: { host: '127.0.0.1', port: api },
      mesh: { listen: `127.0.0.1:${mesh}`, discover: false },
    };
    await writeFile(gateway.configPath, JSON.stringify(config));
    return gateway;
  }

  get configPath(): string {
    return join(this.folder, 'gateway.json');
  }

  get dataDir(): string {
    return join(this.folder, 'data');
  }

  /** What it printed, of all its runs. */
  get output(): string {
    return this.#output;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const child = spawn(process.execPath, [BIN, 'gateway', 'run', '--json', '--config', this.configPath]);
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
  }

  /** Resolves when the process is gone. Idempotent. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
    await closed;
    clearTimeout(killer);
  }

  /** Runs `sparc` on its configuration; throws what it says when it fails. */
  async sparc(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await sparc([...args, '--config', this.configPath]);
    if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Undefined while the API does not answer. */
  async mesh(): Promise<MeshView | undefined> {
    try {
      const response = await fetch(`${this.apiUrl}/api/mesh`, { signal: AbortSignal.timeout(2_000) });
      return (await response.json()) as MeshView;
    } catch {
      return undefined;
    }
  }

  get journal(): readonly LoggedEntry[] {
    return readEntries(join(this.dataDir, JOURNAL_FILE), { limit: 100_000 });
  }
}

/** Enrols gateways at a new authority, by files as people carry them. */
export async function enrol(parent: string, site: string, gateways: readonly MeshGateway[]): Promise<void> {
  const authority = join(parent, 'authority');
  const run = async (args: readonly string[]) => {
    const { exitCode, stderr } = await sparc(args);
    if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  };
  await run(['authority', 'init', authority, '--site', site]);
  const requests = gateways.map(({ name }) => join(parent, `${name}.request`));
  for (const [at, gateway] of gateways.entries())
    await gateway.sparc('gateway', 'request', '--out', requests[at] ?? '');
  await run(['authority', 'enrol', ...requests, '--dir', authority]);
  for (const gateway of gateways) await gateway.sparc('gateway', 'join', join(parent, `${gateway.name}.admission`));
}
