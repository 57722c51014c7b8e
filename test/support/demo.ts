import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_GATEWAYS, DEMO_PORT_COUNT, freePorts } from '@sparc/simulator/live';
import type { Test } from 'tap';
import { eventually } from './peers.js';
import { REPOSITORY } from './repository.js';

/**
 * What `npm start` runs, on free ports and in a folder of its own, which each of its processes names on its command line.
 * `pages` are those of its gateways, `cloud` has its page and who may log in there, `said` is what it printed, `stop` is Ctrl-C and gives the exit code.
 */
export async function startDemo(t: Test) {
  const port = await freePorts(DEMO_PORT_COUNT);
  const scratch = await mkdtemp(join(tmpdir(), 'sparc-demo-'));
  const folder = join(scratch, 'demo');
  const child = spawn(
    process.execPath,
    [join(REPOSITORY, 'simulator', 'bin', 'start.js'), '--port', String(port), '--data', folder],
    // A terminal sends Ctrl-C to its whole foreground process group.
    { detached: true, env: { ...process.env, TMPDIR: scratch }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const stop = async () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    const [exitCode] = (await ended) as [number | null];
    return exitCode;
  };
  t.teardown(async () => {
    await stop();
    await rm(scratch, { recursive: true, force: true });
  });
  await eventually('the demo runs', () => said.includes('Ctrl-C') || child.exitCode !== null, 200_000);
  const [reception = '', basement = '', warehouse = ''] = DEMO_GATEWAYS.map(
    (_, at) => `http://127.0.0.1:${port + at}/`,
  );
  const pages = { reception, basement, warehouse } satisfies Record<(typeof DEMO_GATEWAYS)[number]['id'], string>;
  const cloud = async () => {
    const { name, password } = JSON.parse(await readFile(join(folder, 'cloud', 'login.json'), 'utf8')) as Record<
      'name' | 'password',
      string
    >;
    return { url: /^Cloud +(\S+)/m.exec(said)?.[1] ?? '', name, password };
  };
  const configOf = (id: keyof typeof pages) => join(folder, id, 'gateway.yaml');
  return { folder, pages, cloud, said, configOf, stop, processes: () => processesOf(scratch) };
}

/** Command lines of the processes that name this folder. */
async function processesOf(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return commands.filter((command) => command.includes(folder));
}
