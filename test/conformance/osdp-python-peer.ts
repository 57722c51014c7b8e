import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { eventually, skipWithout } from '../support/peers.js';
import { FOLDER, PYTHON } from './libosdp-peer.js';

const MODULES = join(FOLDER, '.venv', 'osdp-python');

export const SKIP_WITHOUT_OSDP_PYTHON = skipWithout(
  'osdp-python',
  spawnSync(PYTHON, ['-c', 'from osdp import ControlPanel, RawCardData'], {
    stdio: 'ignore',
    env: { ...process.env, PYTHONPATH: MODULES },
  }).status === 0,
  'test/conformance/setup-libosdp.sh',
);

export interface OsdpPythonConfig {
  readonly address: number;
  readonly crc: boolean;
  readonly secure: boolean;
  /** Hexadecimal; osdp-python makes its SCBK from it and the cUID of the PD. */
  readonly masterKey?: string;
}

/** A process that runs the ACU of osdp-python. */
export class OsdpPythonPeer {
  readonly cards: unknown[] = [];
  readonly keys: string[] = [];
  /** The TCP port it listens at. */
  port = 0;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: { readonly answer: unknown; readonly error?: string }[] = [];
  #requestCount = 0;
  #ready = false;

  private constructor(where: string, config: OsdpPythonConfig) {
    this.#process = spawn(PYTHON, [join(FOLDER, 'osdp_python_peer.py'), where, JSON.stringify(config)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface(this.#process.stdout).on('line', (line) => this.#hear(JSON.parse(line) as Message));
  }

  /** `where`: the path of a pseudo-terminal, or `tcp` to listen on loopback. */
  static async start(where: string, config: OsdpPythonConfig): Promise<OsdpPythonPeer> {
    const peer = new OsdpPythonPeer(where, config);
    await eventually('osdp-python is ready', () => peer.#ready);
    return peer;
  }

  /** What osdp-python makes of the reply; rejects with its error. */
  async ask(request: { readonly do: string; readonly [parameter: string]: unknown }): Promise<unknown> {
    const turn = this.#requestCount++;
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    await eventually(`osdp-python has asked for ${request.do}`, () => this.#answers.length > turn);
    const answered = this.#answers[turn];
    if (answered?.error !== undefined) throw new Error(`${request.do}: ${answered.error}`);
    return answered?.answer;
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
    if (message.card !== undefined) this.cards.push(message.card);
    if (message.keys !== undefined) this.keys.push(message.keys);
    if ('answer' in message) this.#answers.push({ answer: message.answer, ...message });
  }
}

interface Message {
  readonly ready?: boolean;
  readonly port?: number | null;
  readonly card?: unknown;
  readonly keys?: string;
  readonly answer?: unknown;
  readonly error?: string;
}
