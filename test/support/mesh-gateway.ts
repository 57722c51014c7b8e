import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MeshView } from '@sparc/edge/api';
import { LOCAL_API_FILE } from '@sparc/edge/commissioning';
import { JOURNAL_FILE, readEntries, type LoggedEntry } from '@sparc/edge/ledger';
import { freePort } from '@sparc/simulator/live';
import { REPOSITORY } from './repository.js';
import { sparc, type Ended } from './sparc-command.js';

const BIN = join(REPOSITORY, 'edge', 'bin', 'sparc.js');
const STOP_MAX_MS = 30_000;

/** Where a gateway runs: on this machine, or in a network of its own. */
export interface GatewayHost {
  /** In front of a command, so that it runs there. */
  readonly prefix: readonly string[];
  /** Runs `sparc` there. */
  sparc(args: readonly string[]): Promise<Ended>;
  fetch(url: string): Promise<string>;
}

/** As in the configuration of a gateway. */
export interface GatewayLines {
  readonly buses: readonly object[];
  readonly osdpKeysFile?: string;
}

const FETCH_MAX_MS = 10_000;

const THIS_MACHINE: GatewayHost = {
  prefix: [],
  sparc,
  fetch: async (url) => (await fetch(url, { signal: AbortSignal.timeout(FETCH_MAX_MS) })).text(),
};

/** A gateway in processes of its own; without lines, what it holds is its mesh and its journal. */
export class MeshGateway {
  #child: ChildProcess | undefined;
  #output = '';

  private constructor(
    readonly name: string,
    readonly folder: string,
    readonly apiUrl: string,
    readonly host: GatewayHost,
    /** At which others reach it; none: where it listens. */
    readonly addresses: readonly string[],
  ) {}

  /** On loopback. `lines`: to its devices. */
  static async create(parent: string, name: string, lines: GatewayLines = { buses: [] }): Promise<MeshGateway> {
    return this.#create(parent, name, `127.0.0.1:${await freePort()}`, THIS_MACHINE, [], lines);
  }

  /** On a machine of its own, which others reach at these addresses. */
  static createAt(
    parent: string,
    name: string,
    host: GatewayHost,
    port: number,
    addresses: readonly string[],
  ): Promise<MeshGateway> {
    return this.#create(parent, name, `0.0.0.0:${port}`, host, addresses);
  }

  static async #create(
    parent: string,
    name: string,
    listen: string,
    host: GatewayHost,
    addresses: readonly string[],
    lines: GatewayLines = { buses: [] },
  ): Promise<MeshGateway> {
    const folder = join(parent, name);
    await mkdir(folder);
    const api = await freePort();
    const gateway = new MeshGateway(name, folder, `http://127.0.0.1:${api}`, host, addresses);
    const config = {
      gateway: { name },
      dataDir: './data',
      ...lines,
      api: { host: '127.0.0.1', port: api },
      mesh: { listen, discover: false },
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
    const run = [process.execPath, BIN, 'gateway', 'run', '--json', '--config', this.configPath];
    const [command = '', ...args] = [...this.host.prefix, ...run];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
  }

  /** Resolves at once when it prints that, in its run of now. */
  says(text: string): Promise<void> {
    const from = this.#output.length;
    return new Promise((resolve) => {
      const look = () => void (this.#output.includes(text, from) && resolve());
      for (const stream of [this.#child?.stdout, this.#child?.stderr]) stream?.on('data', look);
    });
  }

  /** To the process of the field, not to its parts. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
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
    const { exitCode, stdout, stderr } = await this.host.sparc([...args, '--config', this.configPath]);
    if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Undefined while the API does not answer, or the field has not told commands yet where it is. */
  async mesh(): Promise<MeshView | undefined> {
    try {
      const view = JSON.parse(await this.host.fetch(`${this.apiUrl}/api/mesh`)) as MeshView;
      return readFileSync(join(this.dataDir, LOCAL_API_FILE), 'utf8').includes(this.apiUrl) ? view : undefined;
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
  for (const [at, gateway] of gateways.entries()) {
    const addresses = gateway.addresses.flatMap((address) => ['--address', address]);
    await gateway.sparc('gateway', 'request', '--out', requests[at] ?? '', ...addresses);
  }
  await run(['authority', 'enrol', ...requests, '--dir', authority]);
  for (const gateway of gateways) await gateway.sparc('gateway', 'join', join(parent, `${gateway.name}.admission`));
}
