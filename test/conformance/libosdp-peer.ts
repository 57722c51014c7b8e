import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';
import { eventually, skipWithout } from '../support/peers.js';
import { REPOSITORY } from '../support/repository.js';

export const FOLDER = join(REPOSITORY, 'test', 'conformance');
export const PYTHON = join(FOLDER, '.venv', 'bin', 'python');

export const SKIP_WITHOUT_LIBOSDP = skipWithout(
  'libosdp',
  spawnSync(PYTHON, ['-c', 'import osdp'], { stdio: 'ignore' }).status === 0,
  'test/conformance/setup-libosdp.sh',
);

/** Constants of the libosdp binding (include/osdp.h) that the tests use. */
export const LIBOSDP = {
  flag: { enforceSecure: 1 << 16, installMode: 1 << 17 },
  command: { output: 1, led: 2, buzzer: 3, text: 4, keyset: 5, comset: 6, manufacturer: 7, file: 8, status: 9 },
  event: { cardRead: 1, keyPress: 2, manufacturerReply: 3, status: 4 },
  cardFormat: { unspecified: 0, wiegand: 1 },
  statusReport: { input: 0, output: 1, local: 2, remote: 3 },
} as const;

export type LibosdpValue = number | boolean | string | { readonly hex: string };
export type LibosdpRecord = Readonly<Record<string, LibosdpValue>>;

export interface LibosdpDeviceConfig {
  readonly address: number;
  readonly flags: readonly number[];
  readonly scbk: { readonly hex: string } | null;
  /** PD only: [function, compliance, count] of PDCAP. */
  readonly capabilities?: readonly (readonly [number, number, number])[];
  /** PD only: what its command callback returns, by command; 0 and no record where nothing is said. */
  readonly answers?: Readonly<Record<number, { readonly code: number; readonly record: LibosdpRecord | null }>>;
}

/** Everything that libosdp has said of one device so far. */
export class LibosdpDevice {
  readonly commands: LibosdpRecord[] = [];
  readonly events: LibosdpRecord[] = [];
  /** Files that were received whole, or sent. */
  readonly files: { readonly number: number; readonly content: Buffer }[] = [];
  session = { online: false, secure: false };
  identity: LibosdpRecord | undefined;
}

export type LibosdpRequest =
  /** A PD gets an event to report, an ACU a command to send. */
  | { readonly do: 'submit'; readonly record: LibosdpRecord }
  /** PD only: power is cut. Key and address stay. */
  | { readonly do: 'reset' }
  /** ACU only. */
  | { readonly do: 'sendFile'; readonly number: number; readonly content: { readonly hex: string } }
  /** ACU only: begin anew with a PD that was given up; tell what it says that it is. */
  | { readonly do: 'restart' | 'identity' };

export const hex = (bytes: Uint8Array): { readonly hex: string } => ({ hex: Buffer.from(bytes).toString('hex') });

/** A process that runs libosdp: some PDs that share a line, or an ACU of some PDs. */
export class LibosdpPeer {
  /** The TCP port it listens at. */
  port = 0;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #devices: readonly LibosdpDevice[];
  #ready = false;
  #requestCount = 0;
  readonly #answers: boolean[] = [];

  private constructor(role: 'pd' | 'acu', where: string, config: readonly LibosdpDeviceConfig[]) {
    this.#devices = config.map(() => new LibosdpDevice());
    this.#process = spawn(PYTHON, [join(FOLDER, 'libosdp_peer.py'), role, where, JSON.stringify(config)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface(this.#process.stdout).on('line', (line) => this.#hear(JSON.parse(line) as Message));
  }

  /** `where`: the path of a pseudo-terminal, or `tcp` to listen on loopback. */
  static async start(
    role: 'pd' | 'acu',
    where: string,
    config: LibosdpDeviceConfig | readonly LibosdpDeviceConfig[],
  ): Promise<LibosdpPeer> {
    const peer = new LibosdpPeer(role, where, [config].flat());
    await eventually('libosdp is ready', () => peer.#ready);
    return peer;
  }

  device(index = 0): LibosdpDevice {
    const device = this.#devices[index];
    if (device === undefined) throw new RangeError(`libosdp has no device ${index}`);
    return device;
  }

  get devices(): readonly LibosdpDevice[] {
    return this.#devices;
  }

  async request(request: LibosdpRequest, index = 0): Promise<void> {
    const turn = this.#requestCount++;
    this.#process.stdin.write(`${JSON.stringify({ ...request, device: index })}\n`);
    await eventually('libosdp takes it', () => this.#answers.length > turn);
    if (this.#answers[turn] !== true) throw new Error(`libosdp refuses ${request.do}`);
  }

  async submit(record: LibosdpRecord, index = 0): Promise<void> {
    await this.request({ do: 'submit', record }, index);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin.end();
    await ended;
  }

  #hear(message: Message): void {
    if (message.ready === true) {
      this.#ready = true;
      this.port = message.port ?? 0;
    }
    if (message.taken !== undefined) this.#answers.push(message.taken);
    if (message.device === undefined) return;
    const device = this.device(message.device);
    if (message.session !== undefined) device.session = message.session;
    if (message.identity !== undefined) device.identity = message.identity;
    if (message.command !== undefined) device.commands.push(message.command);
    if (message.event !== undefined) device.events.push(message.event);
    if (message.file !== undefined) {
      device.files.push({ number: message.file.number, content: Buffer.from(message.file.content.hex, 'hex') });
    }
  }
}

interface Message {
  readonly ready?: boolean;
  readonly port?: number | null;
  readonly taken?: boolean;
  readonly device?: number;
  readonly session?: { readonly online: boolean; readonly secure: boolean };
  readonly identity?: LibosdpRecord;
  readonly command?: LibosdpRecord;
  readonly event?: LibosdpRecord;
  readonly file?: { readonly number: number; readonly content: { readonly hex: string } };
}
