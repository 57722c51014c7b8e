import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');
export const SPARC = join(REPOSITORY, 'edge', 'bin', 'sparc.js');
export const SPARC_CLOUD = join(REPOSITORY, 'cloud-sync', 'bin', 'sparc-cloud.js');

/** Runs a program with these arguments, and gives what it says. */
export type RunCommand = (...args: readonly string[]) => Promise<string>;

/**
 * Commands of a program that are ended by `signal`. They throw ERR_SIMULATOR_GATEWAY_ENDED with what they say of a failure,
 * and the signal's reason.
 */
export const commandsUntil =
  (signal: AbortSignal, program: string): RunCommand =>
  async (...args) => {
    signal.throwIfAborted();
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
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
      `${basename(program, '.js')} ${args.join(' ')} failed\n${(complaint || said).trimEnd()}`,
    );
  };
