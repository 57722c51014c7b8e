import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { MeshView } from '@sparc/edge/api';
import { agreed, authorOf, sameBytes } from '../../support/mesh-agreement.js';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';
import { NetworkNamespace, SKIP_WITHOUT_NAMESPACES, type Cable } from '../../support/network-namespace.js';
import { eventually } from '../../support/peers.js';

const PORT = 7_400;

interface Site {
  readonly gateways: readonly [hallway: MeshGateway, gate: MeshGateway, cellar: MeshGateway];
  readonly hallwayGate: Cable;
  readonly hallwayCellar: Cable;
  readonly gateCellar: Cable;
}

/** Three machines, each with a cable to each other and an address at each cable; none forwards packets. */
async function siteOf(t: Test): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-namespaces-'));
  const [hallway, gate, cellar] = [
    await NetworkNamespace.create(),
    await NetworkNamespace.create(),
    await NetworkNamespace.create(),
  ] as const;
  const at = (...hosts: string[]) => hosts.map((host) => `${host}:${PORT}`);
  const gateways = [
    await MeshGateway.createAt(folder, 'hallway', hallway, PORT, at('10.0.1.1', '10.0.2.1')),
    await MeshGateway.createAt(folder, 'gate', gate, PORT, at('10.0.1.2', '10.0.3.1')),
    await MeshGateway.createAt(folder, 'cellar', cellar, PORT, at('10.0.2.2', '10.0.3.2')),
  ] as const;
  t.teardown(async () => {
    await Promise.all(gateways.map((gateway) => gateway.end('SIGTERM')));
    await Promise.all([hallway, gate, cellar].map((machine) => machine.close()));
    await rm(folder, { recursive: true });
  });
  const site = {
    gateways,
    hallwayGate: hallway.connect(gate, 'cable1', '10.0.1.1/30', '10.0.1.2/30'),
    hallwayCellar: hallway.connect(cellar, 'cable2', '10.0.2.1/30', '10.0.2.2/30'),
    gateCellar: gate.connect(cellar, 'cable3', '10.0.3.1/30', '10.0.3.2/30'),
  };
  await enrol(folder, 'harbour', gateways);
  for (const gateway of gateways) gateway.start();
  return site;
}

/** Something for the journal of a gateway that runs. */
const record = (gateway: MeshGateway): Promise<string> => gateway.sparc('clock', 'accept', '--by', 'Ada Lovelace');

const heldOf = (view: MeshView | undefined, author: MeshGateway): number =>
  view?.logs.find((log) => log.author === authorOf(author))?.heads[0]?.sequence ?? 0;

const isHere = (view: MeshView | undefined, gateway: MeshGateway): boolean =>
  view?.members.some(({ key, hereSinceUnixMs }) => key === authorOf(gateway) && hereSinceUnixMs !== undefined) ?? false;
const isAlone = (view: MeshView | undefined): boolean =>
  view?.members.every(({ hereSinceUnixMs }) => hereSinceUnixMs === undefined) ?? false;

t.test(
  'gateways on machines of their own hold the same logs, whatever becomes of cables and machines',
  { skip: SKIP_WITHOUT_NAMESPACES },
  async (t) => {
    const { gateways, hallwayGate, hallwayCellar, gateCellar } = await siteOf(t);
    const [hallway, gate, cellar] = gateways;
    t.comment(`met and agreed in ${Math.round(await agreed(gateways))} ms`);

    await t.test('a cable that is cut costs nothing while there is a way round', async (t) => {
      for (const cable of [hallwayGate, hallwayCellar, gateCellar]) {
        cable.cut();
        for (const gateway of gateways) await record(gateway);
        t.comment(`the way round took ${Math.round(await agreed(gateways, 1))} ms`);
        cable.mend();
      }
      t.comment(`all neighbours again in ${Math.round(await agreed(gateways))} ms`);
      t.pass();
    });

    await t.test(
      'one that nobody reaches goes on alone, and catches up by the first cable that is mended',
      async (t) => {
        hallwayGate.cut();
        hallwayCellar.cut();
        const isMissed = async () => isAlone(await hallway.mesh()) && !isHere(await gate.mesh(), hallway);
        await eventually('both sides notice', isMissed, 30_000);
        for (const gateway of gateways) await record(gateway);
        await agreed([gate, cellar], 1);
        const isUnreplicated = async () => ((await hallway.mesh())?.own?.unreplicatedCount ?? 0) > 0;
        await eventually('it knows that nobody has its newest entries', isUnreplicated);
        t.ok(heldOf(await gate.mesh(), hallway) < heldOf(await hallway.mesh(), hallway));
        hallwayCellar.mend();
        t.comment(`caught up in ${Math.round(await agreed(gateways, 1))} ms`);
        hallwayGate.mend();
        t.comment(`all neighbours again in ${Math.round(await agreed(gateways))} ms`);
      },
    );

    await t.test('one that lost its power, and is back within two seconds, hears and is heard', async (t) => {
      // Without a word to anybody: no connection of it is closed.
      for (const cable of [hallwayCellar, gateCellar]) cable.cut();
      await cellar.end('SIGKILL');
      cellar.start();
      for (const cable of [hallwayCellar, gateCellar]) cable.mend();
      await eventually('it answers', async () => (await cellar.mesh())?.state === 'running', 30_000);
      for (const gateway of gateways) await record(gateway);
      t.comment(`heard and heard again in ${Math.round(await agreed(gateways))} ms`);
    });

    await t.test('nothing is lost that a neighbour had when a gateway is gone for good', async (t) => {
      const before = heldOf(await cellar.mesh(), cellar);
      for (let count = 0; count < 3; count++) await record(cellar);
      let acknowledged = 0;
      const isAcknowledged = async () => {
        const view = await cellar.mesh();
        acknowledged = heldOf(view, cellar);
        return view?.own?.unreplicatedCount === 0 && acknowledged >= before + 3;
      };
      await eventually('somebody has them', isAcknowledged);
      for (const cable of [hallwayCellar, gateCellar]) cable.cut();
      await cellar.end('SIGKILL');
      await agreed([hallway, gate], 1);
      for (const gateway of [hallway, gate]) {
        const held = heldOf(await gateway.mesh(), cellar);
        t.ok(held >= acknowledged, `${gateway.name} has ${held} entries, ${acknowledged} were acknowledged`);
      }
    });

    await Promise.all(gateways.map((gateway) => gateway.end('SIGTERM')));
    sameBytes(t, gateways);
    const names = gateways.flatMap(({ journal }) => journal.map((entry) => entry.record?.name));
    t.notOk(names.includes('ledger.forked'), 'nobody forked');
  },
);
