import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';
import { eventually, skipWithout } from '../support/peers.js';
import { REPOSITORY } from '../support/repository.js';

const FOLDER = join(REPOSITORY, 'test', 'conformance');
const PYTHON = join(FOLDER, '.venv', 'bin', 'python');

export const SKIP_WITHOUT_LIBOSDP = skipWithout(
  'libosdp',
  spawnSync(PYTHON, ['-c', 'import osdp'], { stdio: 'ignore' }).status === 0,
  'test/conformance/setup-libosdp.sh',
);

/** Constants of the libosdp binding (include/osdp.h) that the tests use. */
export const LIBOSDP = {
  flag: { enforceSecure: 1 << 16 },
  command: { output: 1, led: 2, buzzer: 3, text: 4 },
  event: { cardRead: 1, keyPress: 2, status: 4 },
  cardFormat: { unspecified: 0, wiegand: 1 },
  statusReport: { input: 0, output: 1, local: 2, remote: 3 },
} as const;

export type LibosdpValue = number | boolean | string | { readonly hex: string };
export type LibosdpRecord = Readonly<Record<string, LibosdpValue>>;

export interface LibosdpConfig {
  readonly address: number;
  readonly flags: readonly number[];
  readonly scbk: { readonly hex: string } | null;
  /** PD only: [function, compliance, count] of PDCAP. */
  readonly capabilities?: readonly (readonly [number, number, number])[];
}

/** A process that runs libosdp as a PD or an ACU, and everything it has said so far. */
export class LibosdpPeer {
  readonly commands: LibosdpRecord[] = [];
  readonly events: LibosdpRecord[] = [];
  session = { online: false, secure: false };
  /** The TCP port it listens at. */
  port = 0;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  #ready = false;
  #answers: boolean[] = [];

  private constructor(role: 'pd' | 'acu', where: string, config: LibosdpConfig) {
    this.#process = spawn(PYTHON, [join(FOLDER, 'libosdp_peer.py'), role, where, JSON.stringify(config)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface(this.#process.stdout).on('line', (line) => this.#hear(JSON.parse(line) as Message));
  }

  /** `where`: the path of a pseudo-terminal, or `tcp` to listen on loopback. */
  static async start(role: 'pd' | 'acu', where: string, config: LibosdpConfig): Promise<LibosdpPeer> {
    const peer = new LibosdpPeer(role, where, config);
    await eventually('libosdp is ready', () => peer.#ready);
    return peer;
  }

  /** A PD gets an event to report, an ACU a command to send. */
  async submit(record: LibosdpRecord): Promise<void> {
    const before = this.#answers.length;
    this.#process.stdin.write(`${JSON.stringify(record)}\n`);
    await eventually('libosdp takes it', () => this.#answers.length > before);
    if (this.#answers.at(-1) !== true) throw new Error(`libosdp refuses ${JSON.stringify(record)}`);
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
    if (message.session !== undefined) this.session = message.session;
    if (message.command !== undefined) this.commands.push(message.command);
    if (message.event !== undefined) this.events.push(message.event);
    if (message.submitted !== undefined) this.#answers.push(message.submitted);
  }
}

interface Message {
  readonly ready?: boolean;
  readonly port?: number | null;
  readonly session?: { readonly online: boolean; readonly secure: boolean };
  readonly command?: LibosdpRecord;
  readonly event?: LibosdpRecord;
  readonly submitted?: boolean;
}
