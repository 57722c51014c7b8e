import { spawn, type ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';
import type { Clock } from '@sparc/protocol/ports';
import { lineChannel, type LineChannel } from './line-channel.js';

/** Message of a part in characters of its JSON: a directive in its longest form, and more. */
export const PART_MESSAGE_MAX = 65_536;
/** Messages of a part within a second; one that sends more has gone mad, and is ended. Each costs the field a moment. */
export const MESSAGES_PER_SECOND_MAX = 200;
const SECOND_MS = 1_000;

export interface PartOptions<Message> {
  /** Path of what it runs; `options` is its first argument, in JSON. */
  readonly main: string;
  readonly options: object;
  readonly execArgv: readonly string[];
  readonly isMessage: (said: unknown) => said is Message;
  onMessage(message: Message): void;
  /** Once. `code`: the exit code where it ended by itself. */
  onEnd(why: string, code: number | undefined, cause?: Error): void;
}

/** A process that the gateway starts beside itself. Whatever it says that is no message of its form ends it, and no more. */
export class PartProcess<Message> {
  readonly #child: ChildProcess;
  readonly #channel: LineChannel | undefined;
  #why: string | undefined;
  #hasEnded = false;
  #heardCount = 0;
  #heardSinceMs = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly deps: PartOptions<Message>,
  ) {
    const { main, options, execArgv } = deps;
    const child = spawn(process.execPath, [...execArgv, main, JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    this.#child = child;
    // One that could not be started has none.
    const pipe = (child.stdio as ChildProcess['stdio'] | undefined)?.[3];
    if (pipe instanceof Duplex) {
      this.#channel = lineChannel(pipe, { onLine: (line) => this.#heard(line) }, PART_MESSAGE_MAX);
    }
    child.once('error', (error) => this.#ended(error.message, undefined, error));
    child.once('exit', (code, signal) => this.#ended(signal ?? `exit code ${code}`, code ?? undefined));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: unknown, onTaken?: () => void): void {
    this.#channel?.send(message, onTaken);
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  /** Ends it at once, whatever it does, and hears nothing of it any more. `why`: as `onEnd` is told it. */
  abandon(why: string): void {
    this.#why = why;
    this.#channel?.close();
    this.kill('SIGKILL');
  }

  /** Resolves when it has ended after a signal. */
  async end(signal: 'SIGTERM' | 'SIGKILL', deadlineMs: number): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once('close', () => resolve()));
    this.kill(signal);
    const deadline = this.clock.setTimer(deadlineMs, () => this.kill('SIGKILL'));
    await ended;
    deadline.cancel();
  }

  #heard(line: string): void {
    if (this.#isFlooding()) return this.abandon('it sent more messages than it may');
    const said = line.length > PART_MESSAGE_MAX ? undefined : fromJson(line);
    if (!this.deps.isMessage(said)) return this.abandon('it sent what is no message');
    this.deps.onMessage(said);
  }

  #isFlooding(): boolean {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#heardSinceMs >= SECOND_MS) {
      this.#heardSinceMs = nowMs;
      this.#heardCount = 0;
    }
    this.#heardCount += 1;
    return this.#heardCount > MESSAGES_PER_SECOND_MAX;
  }

  #ended(why: string, code: number | undefined, cause?: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.deps.onEnd(this.#why ?? why, code, cause);
  }
}

function fromJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
