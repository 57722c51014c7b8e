import { existsSync, mkdirSync, readdirSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { MeshNotice } from '@sparc/edge/api';
import { nodeRandom } from '@sparc/edge/platform';
import { PARTS_FILE } from '@sparc/edge/policy-parts';
import { REPLICA_FILE } from '@sparc/edge/replica';
import { SiteMesh } from '@sparc/edge/site-mesh';
import type { Member } from '@sparc/protocol/roster';
import { freePort } from '@sparc/simulator/live';
import { writeJournal } from '../../support/journal.js';
import { fasterClock } from '../../support/mesh-site.js';
import { eventually } from '../../support/peers.js';
import { member } from '../../support/roster.js';
import { TIMELESS } from '../../support/timeless.js';
import { membershipScene } from '../membership/membership-scene.js';

/** What is looked at every five seconds is looked at ten times a second. */
const FACTOR = 50;

async function setUp(t: Test, ...others: readonly Member[]) {
  const { dataDir, self, signed, admission, joins } = membershipScene(t);
  const warnings: string[] = [];
  const notices: MeshNotice[] = [];
  const port = await freePort();
  const mesh = new SiteMesh(
    {
      clock: fasterClock(FACTOR),
      random: nodeRandom,
      log: { info: () => undefined, warn: (_fields, message) => void warnings.push(message) },
      tell: (notice) => void notices.push(notice),
      policyInForce: () => ({}),
      unread: () => [],
      time: TIMELESS,
      isFieldSilent: () => false,
      stored: () => undefined,
      policyHere: () => undefined,
      reaches: () => undefined,
      copied: () => undefined,
      onDirective: () => undefined,
    },
    dataDir,
    { listen: { host: '127.0.0.1', port }, discover: false, peers: {} },
  );
  t.teardown(() => mesh.stop());
  /** As the only member, or beside these. */
  const joinSite = (site: string, epoch = 1) => joins(admission(signed({ site, epoch, members: [self, ...others] })));
  return { dataDir, port, mesh, warnings, notices, joinSite };
}

/** Of this process. */
const openFilesIn = (folder: string): readonly string[] =>
  readdirSync('/proc/self/fd')
    // The folder that is listed is among them, and closed by now.
    .flatMap((fd) => (existsSync(`/proc/self/fd/${fd}`) ? [readlinkSync(`/proc/self/fd/${fd}`, 'utf8')] : []))
    .filter((path) => path.startsWith(folder));

const stateIs = (mesh: SiteMesh, state: string) => eventually(`it is ${state}`, () => mesh.view().state === state);

t.test('a gateway that joins while it runs takes part, and takes over a roster that is put on its disk', async (t) => {
  const { dataDir, port, mesh, joinSite } = await setUp(t);
  await writeJournal(dataDir, 2);
  t.equal(mesh.view().state, 'starting');
  mesh.start();
  await stateIs(mesh, 'notJoined');
  joinSite('harbour');
  await stateIs(mesh, 'running');
  t.match(mesh.view(), {
    roster: { site: 'harbour', epoch: 1 },
    listensAt: [`127.0.0.1:${port}`],
    members: [{ name: 'self', isSelf: true }],
    logs: [{ name: 'self', heads: [{ sequence: 3 }] }],
    own: { replicasCount: 0, unreplicatedCount: 3 },
  });
  await writeJournal(dataDir, 1);
  await eventually('what the journal gets is seen', () => mesh.view().own?.unreplicatedCount === 5);
  joinSite('harbour', 2);
  await eventually('the newer roster counts', () => mesh.view().roster?.epoch === 2);
});

t.test('whom an operator expelled is out of a mesh that starts later, though no disk has it', async (t) => {
  const { mesh, joinSite } = await setUp(t, member(1));
  joinSite('harbour');
  mesh.expelled([{ key: member(1).key, heads: [] }]);
  mesh.start();
  await stateIs(mesh, 'running');
  t.match(mesh.view().expelled, [{ name: member(1).name }]);
  t.match(mesh.view().members, [{ name: 'self' }]);
});

t.test('a mesh whose address is taken is tried again until it is free', async (t) => {
  const { port, mesh, warnings, joinSite } = await setUp(t);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  joinSite('harbour');
  mesh.start();
  await stateIs(mesh, 'failed');
  t.equal(mesh.view().trouble?.code, 'ERR_MESH_START_FAILED');
  t.match(mesh.view().trouble?.message, new RegExp(`${port}`));
  t.equal(warnings.length, 1, 'it is logged once');
  await new Promise((resolve) => other.close(resolve));
  await stateIs(mesh, 'running');
  t.notOk('trouble' in mesh.view());
});

t.test('a gateway whose journal is of another site takes no part', async (t) => {
  const { dataDir, mesh, joinSite } = await setUp(t);
  await writeJournal(dataDir, 1);
  joinSite('airport');
  mesh.start();
  await stateIs(mesh, 'failed');
  t.match(mesh.view().trouble, { code: 'ERR_MESH_OTHER_SITE', message: /harbour.*airport/ });
});

t.test('a mesh that cannot begin leaves nothing open, however often it is tried', async (t) => {
  const { dataDir, mesh, joinSite } = await setUp(t);
  await writeJournal(dataDir, 1);
  mkdirSync(join(dataDir, PARTS_FILE));
  joinSite('harbour');
  mesh.start();
  await stateIs(mesh, 'failed');
  t.equal(mesh.view().trouble?.code, 'ERR_POLICY_PARTS_FAILED');
  t.same(openFilesIn(dataDir), []);
  rmdirSync(join(dataDir, PARTS_FILE));
  await stateIs(mesh, 'running');
  t.ok(openFilesIn(dataDir).some((path) => path.endsWith(REPLICA_FILE)));
});

t.test('a damaged membership is trouble, and ends no mesh that runs', async (t) => {
  const { dataDir, mesh, joinSite } = await setUp(t);
  joinSite('harbour');
  mesh.start();
  await stateIs(mesh, 'running');
  writeFileSync(join(dataDir, 'mesh', 'roster.bin'), 'damaged');
  await eventually('it is told', () => mesh.view().trouble?.code === 'ERR_MESH_MEMBERSHIP_DAMAGED');
  t.equal(mesh.view().state, 'running');
});

t.test('damaged replicas are told of, set aside, and stop no mesh', async (t) => {
  const { dataDir, mesh, notices, joinSite } = await setUp(t);
  joinSite('harbour');
  writeFileSync(join(dataDir, REPLICA_FILE), 'no database, but long enough to be taken for one '.repeat(100));
  mesh.start();
  await stateIs(mesh, 'running');
  t.same(notices, [{ kind: 'replicasLost', code: 'ERR_LEDGER_CORRUPT', movedTo: 'replica.corrupt-1.db' }]);
});
