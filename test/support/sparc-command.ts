import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { runCli } from '@sparc/edge/cli';
import { REPOSITORY } from './repository.js';

const BIN = join(REPOSITORY, 'edge', 'bin', 'sparc.js');

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real `sparc` in a folder, to its end. */
export function spawnSparc(cwd: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const { SPARC_CONFIG: _config, SPARC_TRACE: _trace, ...inherited } = process.env;
  const child = spawn(process.execPath, [BIN, ...args], { cwd, env: { ...inherited, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

/** The same in this process, which is quicker; paths are relative to where the test runs. */
export async function sparc(args: readonly string[]): Promise<Ended> {
  const [out, err] = [new Collector(), new Collector()];
  const exitCode = await runCli(args, { out, err, trace: false });
  return { exitCode, stdout: out.text, stderr: err.text };
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}
