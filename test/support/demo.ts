import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DEMO_GATEWAYS, freePorts } from '@sparc/simulator/live';
import type { Test } from 'tap';
import { eventually } from './peers.js';
import { REPOSITORY } from './repository.js';

/**
 * What `npm start` runs, on free ports and in a folder of its own. `pages` are those of its gateways, `stop` is Ctrl-C and
 * gives how it ended.
 */
export async function startDemo(t: Test) {
  const port = await freePorts(DEMO_GATEWAYS.length);
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
  await eventually('the demo runs', () => said.includes('Ctrl-C') || child.exitCode !== null, 90_000);
  const [reception = '', basement = '', warehouse = ''] = DEMO_GATEWAYS.map(
    (_, at) => `http://127.0.0.1:${port + at}/`,
  );
  const pages = { reception, basement, warehouse } satisfies Record<(typeof DEMO_GATEWAYS)[number]['id'], string>;
  const configOf = (id: keyof typeof pages) => join(folder, id, 'gateway.yaml');
  return { pages, configOf, stop };
}
