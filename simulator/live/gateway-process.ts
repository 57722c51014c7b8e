import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SparcError } from '@sparc/protocol/errors';
import type { DemoFolder } from './demo-folder.js';

const SPARC = join(import.meta.dirname, '..', '..', '..', 'edge', 'bin', 'sparc.js');

const READY_MAX_MS = 30_000;
/** Ctrl-C promises an end within 5 s; a gateway that hangs is killed before. */
const STOP_MAX_MS = 4_000;
const LOG_LINES_SHOWN = 12;

/** Throws ERR_SIMULATOR_PORT_IN_USE. */
export async function assertPortFree(port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
  } catch (cause) {
    throw new SparcError(
      'ERR_SIMULATOR_PORT_IN_USE',
      `port ${port} is in use; choose another: npm start -- --port ${port + 1}`,
      { port },
      { cause },
    );
  }
  const closed = once(probe, 'close');
  probe.close();
  await closed;
}

/** What the command says. Throws ERR_SIMULATOR_GATEWAY_ENDED with what it says of a failure. */
export async function runSparc(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [SPARC, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  await once(child, 'close');
  if (child.exitCode === 0) return said;
  throw new SparcError('ERR_SIMULATOR_GATEWAY_ENDED', `sparc ${args.join(' ')} failed\n${complaint.trimEnd()}`);
}

/** A real gateway in its own process, its log in a file of the demo folder. */
export class GatewayProcess {
  /** It ended without being asked to. */
  onEnded: (error: SparcError) => void = () => undefined;
  #child: ChildProcess | undefined;
  #isStopping = false;

  constructor(
    private readonly folder: DemoFolder,
    private readonly pageUrl: string,
  ) {}

  /** Puts the site file in force. Throws ERR_SIMULATOR_GATEWAY_ENDED with what the command said. */
  async applyPolicy(): Promise<void> {
    const { siteFile, gatewayFile } = this.folder;
    await runSparc('policy', 'apply', siteFile, '--config', gatewayFile);
  }

  /** Resolves when the page is served. Throws ERR_SIMULATOR_GATEWAY_ENDED with the end of its log. */
  async start(): Promise<void> {
    const log: FileHandle = await open(this.folder.logFile, 'w');
    const child = spawn(process.execPath, [SPARC, 'gateway', 'run', '--config', this.folder.gatewayFile], {
      stdio: ['ignore', log.fd, log.fd],
    });
    this.#child = child;
    await log.close();
    let isReady = false;
    child.once('exit', (code, signal) => {
      if (isReady && !this.#isStopping) {
        void this.#endedError(`the gateway ended (${signal ?? `exit code ${code}`})`).then(this.onEnded);
      }
    });
    const givesUpAtMs = performance.now() + READY_MAX_MS;
    while (!(await this.#serves())) {
      if (hasEnded(child)) throw await this.#endedError(`the gateway ended (exit code ${child.exitCode})`);
      if (performance.now() > givesUpAtMs) throw await this.#endedError('the gateway is not ready');
      await pause(50);
    }
    isReady = true;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || hasEnded(child)) return;
    this.#isStopping = true;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
    await ended;
    clearTimeout(killer);
  }

  async #serves(): Promise<boolean> {
    return fetch(this.pageUrl, { signal: AbortSignal.timeout(1_000) }).then(
      (response) => response.ok,
      () => false,
    );
  }

  async #endedError(what: string): Promise<SparcError> {
    const { logFile } = this.folder;
    const log = await readFile(logFile, 'utf8');
    const lines = log.trimEnd().split('\n').slice(-LOG_LINES_SHOWN);
    return new SparcError('ERR_SIMULATOR_GATEWAY_ENDED', `${what}; the end of ${logFile}:\n${lines.join('\n')}`);
  }
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;
