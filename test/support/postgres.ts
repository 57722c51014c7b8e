import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { eventually, skipWithout } from './peers.js';
import { childrenOf, isRunning } from './processes.js';

const VERSION_MIN = 15;
const DEBIAN = '/usr/lib/postgresql';
const [version] = existsSync(DEBIAN)
  ? readdirSync(DEBIAN)
      .map(Number)
      .filter((each) => each >= VERSION_MIN)
      .sort((a, b) => b - a)
  : [];
const bin = (program: string) => join(DEBIAN, String(version), 'bin', program);

export const SKIP_WITHOUT_POSTGRES = skipWithout(
  'PostgreSQL',
  version !== undefined,
  `apt-get install postgresql (${VERSION_MIN} or later)`,
);

/** PostgreSQL refuses to run as root. */
const asNobodySpecial = (program: string, ...args: string[]): [string, string[]] =>
  process.getuid?.() === 0
    ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--pdeathsig=KILL', program, ...args]]
    : [program, args];

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

/** A server of its own for a test, on a socket in a folder that goes with it, and as durable as in earnest. */
export class PostgresServer {
  #process: ChildProcess | undefined;
  #databasesCount = 0;

  private constructor(private readonly folder: string) {}

  static async start(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'sparc-pg-'));
    chmodSync(folder, 0o777);
    const server = new PostgresServer(folder);
    const data = join(folder, 'data');
    const made = spawnSync(
      ...asNobodySpecial(
        bin('initdb'),
        '-D',
        data,
        '-U',
        'postgres',
        '-A',
        'trust',
        '-E',
        'UTF8',
        '--locale=C',
        '--no-sync',
      ),
      { encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(made.stderr);
    await server.run();
    return server;
  }

  /** Of its first process, whose children the others are. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Also after `kill`. */
  async run(): Promise<void> {
    const args = [
      '-D',
      join(this.folder, 'data'),
      '-k',
      this.folder,
      '-c',
      'listen_addresses=',
      '-c',
      'shared_buffers=32MB',
    ];
    this.#process = spawn(...asNobodySpecial(bin('postgres'), ...args), { stdio: 'ignore' });
    await eventually('PostgreSQL answers', () => this.#answers(), 60_000);
  }

  /** As a power cut does: all of its processes at once. One that lives on keeps the memory without which none starts. */
  async kill(): Promise<void> {
    const first = this.#process;
    if (first?.pid === undefined) return;
    const ended = new Promise((resolve) => first.once('exit', resolve));
    const others = childrenOf(first.pid);
    first.kill('SIGKILL');
    others.forEach(killOne);
    await ended;
    await eventually('the processes of PostgreSQL are gone', () => !others.some(isRunning));
    rmSync(join(this.folder, 'data', 'postmaster.pid'), { force: true });
  }

  /** A new, empty database, and where an administrator finds it. */
  async createDatabase(): Promise<{ readonly name: string; readonly url: string }> {
    const name = `test${++this.#databasesCount}`;
    await this.#query('postgres', `create database ${name}`);
    return { name, url: this.url(name) };
  }

  url(database: string, login = 'postgres'): string {
    return `postgres://${login}@localhost/${database}?host=${encodeURIComponent(this.folder)}`;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process?.once('exit', resolve));
    this.#process?.kill('SIGQUIT');
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    try {
      await this.#query('postgres', 'select 1');
      return true;
    } catch {
      return false;
    }
  }

  async #query(database: string, text: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.url(database) });
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  }
}
