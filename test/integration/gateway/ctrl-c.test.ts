import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_GATEWAYS, freePorts } from '@sparc/simulator/live';
import t from 'tap';
import { eventually } from '../../support/peers.js';
import { REPOSITORY } from '../../support/repository.js';

t.setTimeout(150_000);

const START = join(REPOSITORY, 'simulator', 'bin', 'start.js');

/** Processes that name this folder on their command line. */
async function processesOf(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return commands.filter((command) => command.includes(folder));
}

t.test('Ctrl-C ends `npm start` within 5 s and leaves nothing running', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-ctrl-c-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  // A terminal sends the signal to its whole foreground process group.
  const child = spawn(process.execPath, [START, '--port', String(await freePorts(3)), '--data', join(folder, 'demo')], {
    detached: true,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await eventually('it runs', () => said.includes('Ctrl-C stops everything'), 90_000);
  t.ok((await processesOf(folder)).length >= 7, 'itself, three gateways and their site processes');
  const ended = once(child, 'exit');
  const sinceMs = performance.now();
  process.kill(-(child.pid ?? 0), 'SIGINT');
  const [exitCode] = (await ended) as [number | null];
  t.equal(exitCode, 0);
  t.ok(performance.now() - sinceMs < 5_000, `ended after ${Math.round(performance.now() - sinceMs)} ms`);
  t.same(await processesOf(folder), []);
  for (const { id } of DEMO_GATEWAYS) {
    t.match(await readFile(join(folder, 'demo', id, 'gateway.log'), 'utf8'), /stopped\n$/, `${id} stopped in order`);
  }
});
