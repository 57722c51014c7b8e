import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';

export const SPARC = join(import.meta.dirname, '..', '..', '..', 'edge', 'bin', 'sparc.js');

/** Runs `sparc` with these arguments, and gives what it says. */
export type RunSparc = (...args: readonly string[]) => Promise<string>;

/**
 * Commands that are ended by `signal`. They throw ERR_SIMULATOR_GATEWAY_ENDED with what they say of a failure, and the
 * signal's reason.
 */
export const sparcUntil =
  (signal: AbortSignal): RunSparc =>
  async (...args) => {
    signal.throwIfAborted();
    const child = spawn(process.execPath, [SPARC, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const end = () => child.kill('SIGKILL');
    signal.addEventListener('abort', end);
    let said = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    await once(child, 'close');
    signal.removeEventListener('abort', end);
    signal.throwIfAborted();
    if (child.exitCode === 0) return said;
    throw new SparcError(
      'ERR_SIMULATOR_GATEWAY_ENDED',
      `sparc ${args.join(' ')} failed\n${(complaint || said).trimEnd()}`,
    );
  };
