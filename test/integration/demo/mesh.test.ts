import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeshView } from '@sparc/edge/api';
import { Demo, DEMO_GATEWAYS } from '@sparc/simulator/live';
import t, { type Test } from 'tap';
import { freePorts } from '../../support/free-port.js';
import { eventually } from '../../support/peers.js';

t.setTimeout(180_000);

/** For a machine that has other things to do as well. */
const HEARD_MAX_MS = 40_000;

interface SimulatorState {
  readonly gateways: readonly { readonly id: string; readonly state: string }[];
  readonly links: readonly { readonly id: string; readonly cut: boolean }[];
}

async function running(t: Test) {
  const dataPath = await mkdtemp(join(tmpdir(), 'sparc-demo-'));
  t.teardown(() => rm(dataPath, { recursive: true, force: true }));
  const port = await freePorts(DEMO_GATEWAYS.length);
  const demo = new Demo({ dataPath, port, kind: 'tcp', onFailed: (error) => t.fail(error.message) });
  t.teardown(() => demo.stop());
  await demo.start();
  const pageOf = (id: string) => demo.pageUrls[DEMO_GATEWAYS.findIndex((gateway) => gateway.id === id)] ?? '';
  return {
    hands: async (path: string, body: object = {}) => {
      const response = await fetch(`${demo.simulatorUrl}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return response.status;
    },
    simulator: async () => (await (await fetch(`${demo.simulatorUrl}/site`)).json()) as SimulatorState,
    /** Names of the neighbours that a gateway hears, in order. */
    hears: async (id: string) => {
      const mesh = (await (await fetch(`${pageOf(id)}api/mesh`)).json()) as MeshView;
      const here = mesh.members.filter(({ hereSinceUnixMs }) => hereSinceUnixMs !== undefined);
      return here
        .map(({ name }) => name)
        .sort()
        .join();
    },
    /** Entries of the ledgers that a gateway has on disk, of all authors. */
    entriesAt: async (id: string) => {
      const mesh = (await (await fetch(`${pageOf(id)}api/mesh`)).json()) as MeshView;
      return mesh.logs
        .flatMap(({ heads }) => heads.map(({ hash }) => hash))
        .sort()
        .join();
    },
  };
}

t.test('three gateways find each other, a cable is cut, one is killed: doors go on and the site heals', async (t) => {
  const { hands, simulator, hears, entriesAt } = await running(t);
  const hear = (id: string, others: string) =>
    eventually(`${id} hears ${others || 'nobody'}`, async () => (await hears(id)) === others, HEARD_MAX_MS);
  const opens = (door: string, reader: string) => {
    let presentedAtMs = -Infinity;
    return eventually(
      `${door} opens`,
      async () => {
        // A reader that has just connected may hold an old read, so the first presentation is perhaps not granted.
        if (performance.now() - presentedAtMs > 3_000) {
          presentedAtMs = performance.now();
          await hands(`/readers/${reader}/card`, { cardId: 'card-ada.almeida' });
        }
        return (await hands(`/doors/${door}/open`)) === 204;
      },
      HEARD_MAX_MS,
    );
  };
  const same = () =>
    eventually(
      'all hold the same ledgers',
      async () => new Set(await Promise.all(DEMO_GATEWAYS.map(({ id }) => entriesAt(id)))).size === 1,
      HEARD_MAX_MS,
    );

  await hear('reception', 'basement,warehouse');
  await hear('basement', 'reception,warehouse');
  await same();

  t.equal(await hands('/links/reception-basement', { cut: true }), 204);
  await hear('reception', 'warehouse');
  await hear('basement', 'warehouse');
  t.same((await simulator()).links[0], { id: 'reception-basement', ends: ['reception', 'basement'], cut: true });
  await opens('garden', 'garden-in');
  await same();

  t.equal(await hands('/gateways/warehouse/kill'), 204);
  t.equal((await simulator()).gateways[2]?.state, 'down');
  await hear('reception', '');
  t.equal(await hands('/doors/garden/close'), 204);
  await opens('garden', 'garden-in');
  t.equal(await hands('/gateways/warehouse/start'), 204);
  t.equal((await simulator()).gateways[2]?.state, 'running');
  await hear('warehouse', 'basement,reception');
  await opens('warehouse', 'warehouse-in');

  t.equal(await hands('/links/reception-basement', { cut: false }), 204);
  await hear('reception', 'basement,warehouse');
  await same();
  t.equal(await hands('/links/reception-cellar', { cut: true }), 404);
  t.equal(await hands('/gateways/cellar/kill'), 404);
});
