import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skipWithout } from '../../support/peers.js';
import { REPOSITORY } from '../../support/repository.js';

export const SKIP_WITHOUT_CC = skipWithout(
  'a C compiler',
  spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0,
  'apt-get install gcc libc6-dev',
);

/** One line of the shim's log: the return of a flush, or the start of anything else. */
export interface ShimEvent {
  /** CLOCK_MONOTONIC, as `process.hrtime.bigint()`. */
  readonly atNs: bigint;
  readonly operation: 'flush' | 'write' | 'truncate' | 'unlink' | 'rename' | 'send';
  /** File name in the watched folder, path of a device, or tcp:PORT. */
  readonly target: string;
  readonly length: number;
  /** Of a `send`: its first 64 bytes in hex. */
  readonly hex: string;
}

export interface ShimOptions {
  /** Files in it are watched, those in its subfolders are not. */
  readonly folder: string;
  /** Path prefixes of devices (`/dev/pts/`) and TCP ports (`tcp:4001`) whose bytes are logged. */
  readonly peers?: readonly string[];
  /** Every flush takes this much longer. */
  readonly flushMs?: number;
  /** Flushes only say that they flushed. */
  readonly lie?: boolean;
}

/** The shim around one process: compiled once a test run, with an image and a log of its own. */
export class DurabilityShim {
  readonly #image: string;
  readonly #log: string;
  readonly #full: string;
  readonly environment: NodeJS.ProcessEnv;

  /** `scratch` is a folder for the shim's own files, outside of the watched one. */
  constructor(scratch: string, { folder, peers = [], flushMs = 0, lie = false }: ShimOptions) {
    this.#image = join(scratch, 'image');
    this.#log = join(scratch, 'shim.log');
    this.#full = join(scratch, 'disk-is-full');
    mkdirSync(this.#image, { recursive: true });
    this.environment = {
      LD_PRELOAD: compiled(),
      SHIM_FOLDER: folder,
      SHIM_IMAGE: this.#image,
      SHIM_LOG: this.#log,
      SHIM_FULL: this.#full,
      SHIM_KILL: this.killMark,
      SHIM_PEERS: peers.join(','),
      SHIM_FLUSH_MS: String(flushMs),
      ...(lie && { SHIM_LIE: '1' }),
      // libuv would write past the shim.
      UV_USE_IO_URING: '0',
    };
  }

  /** The file that says when to kill the process: `write N`, `flush N` or `flushed N` of the journal, counted since it is there. */
  get killMark(): string {
    return join(this.#image, '..', 'kill-at');
  }

  /** The file whose existence fills the disk. */
  get fullMark(): string {
    return this.#full;
  }

  events(): ShimEvent[] {
    if (!existsSync(this.#log)) return [];
    return readFileSync(this.#log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [atNs = '', operation = '', target = '', length = '', hex = ''] = line.split(' ');
        return {
          atNs: BigInt(atNs),
          operation: operation as ShimEvent['operation'],
          target,
          length: Number(length),
          hex,
        };
      });
  }

  /** Fills an empty folder with what a disk holds for sure: names that were flushed, and their flushed content. */
  restore(into: string): string[] {
    const names = join(this.#image, 'names');
    if (!existsSync(names)) return [];
    return readFileSync(names, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [inode = '', name = ''] = line.split(' ');
        const content = join(this.#image, inode);
        if (existsSync(content)) copyFileSync(content, join(into, name));
        else writeFileSync(join(into, name), '');
        return name;
      });
  }
}

let library: string | undefined;

function compiled(): string {
  if (library !== undefined) return library;
  const folder = mkdtempSync(join(tmpdir(), 'sparc-shim-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  library = join(folder, 'durability-shim.so');
  const source = join(REPOSITORY, 'test/integration/journal/durability-shim.c');
  const { status, stderr } = spawnSync('cc', ['-O1', '-shared', '-fPIC', '-o', library, source, '-ldl']);
  if (status !== 0) throw new Error(`the shim does not compile: ${String(stderr)}`);
  return library;
}
