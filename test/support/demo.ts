import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Test } from 'tap';
import { eventually } from './peers.js';
import { freePort } from './free-port.js';
import { REPOSITORY } from './repository.js';

/** What `npm start` runs, on a free port and in a folder of its own. `stop` is Ctrl-C, and gives how it ended. */
export async function startDemo(t: Test) {
  const port = await freePort();
  const folder = t.testdir({});
  const child = spawn(
    process.execPath,
    [join(REPOSITORY, 'simulator', 'bin', 'start.js'), '--port', String(port), '--data', folder],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const stop = async () => {
    const fromMs = performance.now();
    child.kill('SIGINT');
    const [exitCode] = (await ended) as [number | null];
    return { exitCode, tookMs: performance.now() - fromMs };
  };
  t.teardown(stop);
  await eventually('the demo runs', () => said.includes('Ctrl-C') || child.exitCode !== null, 40_000);
  return { url: `http://127.0.0.1:${port}/`, folder, stop };
}
