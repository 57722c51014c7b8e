import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';

/** Of all its threads. */
function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const lists = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'));
  return lists.flatMap((list) =>
    list
      .split(' ')
      .filter((text) => text !== '')
      .map(Number),
  );
}

/** Whoever ended and was not asked about yet does not run. */
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}

t.test('no process of a gateway outlives it: a mesh that nobody owns would keep its place in the site', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'sparc-orphans-'));
  const gateway = await MeshGateway.create(parent, 'hallway');
  t.teardown(async () => {
    await gateway.end('SIGKILL');
    await rm(parent, { recursive: true, force: true });
  });
  gateway.start();
  await eventually('the site process answers', async () => (await gateway.mesh()) !== undefined, 30_000);
  const children = childrenOf(gateway.pid ?? 0);
  t.ok(children.length > 0);
  await gateway.end('SIGKILL');
  await eventually('all are gone', () => !children.some(isRunning));
  t.equal(await gateway.mesh(), undefined);
});
