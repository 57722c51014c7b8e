import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { SparcError } from '@sparc/protocol/errors';
/** For a machine that has other things to do as well. */
const READY_MAX_MS = 90_000;
/** Ctrl-C promises an end within 5 s; whoever hangs is killed before. */
const STOP_MAX_MS = 4_000;
const LOG_LINES_SHOWN = 12;

export type ServerState = 'down' | 'starting' | 'running';

/** What is run, and what it is called where it fails. */
export interface Server {
  readonly name: string;
  /** For Node: a program, and what it is told. */
  readonly command: readonly string[];
  readonly logFile: string;
}

/** A real gateway, or the cloud, in processes of its own, its log in a file. */
export class ServerProcess {
  /** It ended by itself. */
  onEnded: (error: SparcError) => void = () => undefined;
  onChange: () => void = () => undefined;
  #child: ChildProcess | undefined;
  #state: ServerState = 'down';
  #isAskedToEnd = false;

  constructor(
    private readonly server: Server,
    readonly pageUrl: string,
  ) {}

  get state(): ServerState {
    return this.#state;
  }

  /**
   * Resolves when the page is served, or when it was ended meanwhile; at once when it runs already.
   * Throws ERR_SIMULATOR_GATEWAY_ENDED with the end of its log.
   */
  async start(): Promise<void> {
    if (this.#state !== 'down') return;
    this.#isAskedToEnd = false;
    this.#become('starting');
    const log: FileHandle = await open(this.server.logFile, 'a');
    if (this.#isAskedToEnd) {
      this.#become('down');
      return log.close();
    }
    const child = spawn(process.execPath, this.server.command, { stdio: ['ignore', log.fd, log.fd] });
    this.#child = child;
    child.once('exit', () => this.#onExit(child));
    await log.close();
    const givesUpAtMs = performance.now() + READY_MAX_MS;
    while (!hasEnded(child) && !(await this.#serves()) && performance.now() < givesUpAtMs) await pause(50);
    if (this.#isAskedToEnd) return;
    if (hasEnded(child)) throw await this.#endedError(howEnded(child));
    if (performance.now() >= givesUpAtMs) {
      await this.kill();
      throw await this.#endedError('is not ready');
    }
    this.#become('running');
  }

  /** In order. Idempotent. */
  async stop(): Promise<void> {
    const killer = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_MAX_MS);
    await this.#end('SIGTERM');
    clearTimeout(killer);
  }

  /** As a power cut does. Resolves when nothing of it runs any more. Idempotent. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
    while (await this.#serves()) await pause(10);
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#isAskedToEnd = true;
    const child = this.#child;
    if (child === undefined || hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Who kills it from a terminal wants to see what a power cut does; any other end is a failure. */
  #onExit(child: ChildProcess): void {
    const wasRunning = this.#state === 'running';
    this.#become('down');
    if (!wasRunning || this.#isAskedToEnd || child.signalCode === 'SIGKILL') return;
    void this.#endedError(howEnded(child)).then(this.onEnded);
  }

  #become(state: ServerState): void {
    this.#state = state;
    this.onChange();
  }

  async #serves(): Promise<boolean> {
    return fetch(this.pageUrl, { signal: AbortSignal.timeout(1_000) }).then(
      (response) => response.ok,
      () => false,
    );
  }

  async #endedError(what: string): Promise<SparcError> {
    const { name, logFile } = this.server;
    const log = await readFile(logFile, 'utf8');
    const lines = log.trimEnd().split('\n').slice(-LOG_LINES_SHOWN);
    const message = `${name} ${what}; the end of ${logFile}:\n${lines.join('\n')}`;
    return new SparcError('ERR_SIMULATOR_GATEWAY_ENDED', message);
  }
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;
const howEnded = ({ exitCode, signalCode }: ChildProcess) => `ended (${signalCode ?? `exit code ${exitCode}`})`;
