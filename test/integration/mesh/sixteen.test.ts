import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { sameBytes } from '@sparc/protocol/ledger';
import { MeshNode } from '../../support/mesh-node.js';
import { MeshSite } from '../../support/mesh-site.js';
import { eventually } from '../../support/peers.js';

const GATEWAYS = 16;
const WAIT_MAX_MS = 60_000;
const opened = { name: 'door.opened', doorId: 'front' } as const;

const until = (what: string, isSo: () => boolean) => eventually(what, isSo, WAIT_MAX_MS);

t.test('sixteen gateways over libp2p come to hold the same logs, and go on when one is gone', async (t) => {
  const site = await MeshSite.create(GATEWAYS);
  const folder = await mkdtemp(join(tmpdir(), 'sparc-sixteen-'));
  const nodes: MeshNode[] = [];
  t.teardown(async () => {
    for (const node of nodes) await node.stop();
    await site.close();
    await rm(folder, { recursive: true });
  });
  for (const member of site.members) {
    const own = join(folder, String(member.port));
    await mkdir(own);
    nodes.push(await MeshNode.start(site, member, own));
  }
  const areEqual = () => nodes.every((one) => nodes.every((other) => one.holdsAllOf(other)));

  await until('all are linked', () => nodes.every(({ neighboursCount }) => neighboursCount === GATEWAYS - 1));
  await Promise.all(nodes.map((node) => node.record(opened)));
  await until('all hold all', areEqual);
  t.same(
    nodes.map(({ store }) => store.logs().size),
    nodes.map(() => GATEWAYS - 1),
  );

  const [author, gone] = nodes as [MeshNode, MeshNode];
  await gone.stop();
  nodes.splice(1, 1);
  await author.record(opened);
  const [newest] = author.log.log().slice(-1);
  await until('all others have it, and said so', () => {
    const said = [...author.replicator.state.neighbours.values()].flatMap(({ tips }) => tips.get(author.key) ?? []);
    return newest !== undefined && said.filter(({ hash }) => sameBytes(hash, newest.head.hash)).length === GATEWAYS - 2;
  });
  t.ok(areEqual());
  t.notOk(
    site.logs.some((line) => line.includes('refused')),
    'nobody was refused',
  );
});
