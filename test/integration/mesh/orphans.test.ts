import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';
import { childrenOf, isRunning } from '../../support/processes.js';

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
