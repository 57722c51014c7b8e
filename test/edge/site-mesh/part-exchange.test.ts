import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { nodeCrypto } from '@sparc/edge/ledger';
import { policyContentOf, validateSiteFile } from '@sparc/edge/policy';
import { nodePartTools, SqlitePartStore } from '@sparc/edge/policy-parts';
import { PartExchange, PART_RETRY_PAUSE_MS, PART_SILENCE_MAX_MS } from '@sparc/edge/site-mesh';
import { SparcError } from '@sparc/protocol/errors';
import { cutRevision, surveyParts, type PolicyRevision } from '@sparc/protocol/policy-revision';
import type { MeshNetwork, MeshNetworkHandlers, Part, PartStore } from '@sparc/protocol/ports';
import { MeshRequest } from '@sparc/protocol/replication';
import { SimulatedMesh } from '@sparc/simulator/mesh';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { SITE_FILE } from '../../support/site-file.js';

const PIN_KEY = new Uint8Array(32);

/** A revision and its parts. */
function revisionOf(number: number, text: string) {
  const parts: Part[] = [];
  const content = policyContentOf(validateSiteFile(text, 'site.yaml'), PIN_KEY);
  return { revision: cutRevision(nodePartTools, { number, content }, (part) => void parts.push(part)), parts };
}

const FIRST = revisionOf(1, SITE_FILE);
const SECOND = revisionOf(2, SITE_FILE.replace('name: Front door', 'name: Gate'));
const THIRD = revisionOf(3, SITE_FILE.replace('name: Front door', 'name: Portal'));

const IGNORE: MeshNetworkHandlers = {
  onConnected: () => undefined,
  onDisconnected: () => undefined,
  onMessage: () => undefined,
  serve: () => [],
};

function scene(t: Test) {
  const path = mkdtempSync(join(tmpdir(), 'sparc-part-exchange-'));
  const clock = new VirtualClock({ startUnixMs: Date.parse('2026-03-02T08:00:00Z') });
  const mesh = new SimulatedMesh(clock, new SeededRandom(7));
  const stops: (() => unknown)[] = [];
  t.teardown(async () => {
    for (const stop of stops) await stop();
    rmSync(path, { recursive: true });
  });
  const gateway = async (name: string, parts: readonly Part[] = [], refusing = (_parts: readonly Part[]) => false) => {
    const disk = SqlitePartStore.open(join(path, `${name}.db`));
    disk.put(parts);
    const puts: number[] = [];
    const store: PartStore = {
      has: (hash) => disk.has(hash),
      get: (hash) => disk.get(hash),
      keepOnly: (hashes) => disk.keepOnly(hashes),
      close: () => disk.close(),
      put: (more) => {
        puts.push(clock.monotonicMs());
        if (refusing(more)) throw new SparcError('ERR_POLICY_PARTS_FAILED', 'the disk is full');
        disk.put(more);
      },
    };
    const failures: unknown[] = [];
    const exchange = new PartExchange({
      clock,
      crypto: nodeCrypto,
      tools: nodePartTools,
      network: mesh.join(name, name),
      store,
      siteId: 'harbour',
      onFailure: (error) => void failures.push(error),
    });
    stops.push(
      () => disk.close(),
      () => exchange.stop(),
    );
    await exchange.start(IGNORE);
    const isWhole = ({ revision }: { revision: PolicyRevision }) =>
      surveyParts(nodePartTools, revision, disk).missing.length === 0;
    return { exchange, disk, puts, failures, isWhole };
  };
  return { clock, mesh, gateway };
}

t.test('parts come from a neighbour that has them, and go on to the next one', async (t) => {
  const { clock, mesh, gateway } = scene(t);
  mesh.cut('a', 'c');
  await gateway('a', FIRST.parts);
  const [b, c] = [await gateway('b'), await gateway('c')];
  for (const { exchange } of [b, c]) exchange.want([FIRST.revision]);
  await clock.advance(10_000);
  t.ok(b.isWhole(FIRST), 'b is a neighbour of a');
  t.ok(c.isWhole(FIRST), 'c hears b alone');
  t.equal(c.exchange.missingCount, 0);
  t.strictSame([...b.failures, ...c.failures], []);
});

t.test('what one neighbour lacks another is asked for', async (t) => {
  const { clock, gateway } = scene(t);
  const half = FIRST.parts.length >> 1;
  await gateway('a', FIRST.parts.slice(0, half));
  await gateway('b', FIRST.parts.slice(half));
  const c = await gateway('c');
  c.exchange.want([FIRST.revision]);
  await clock.advance(20_000);
  t.ok(c.isWhole(FIRST));
});

t.test('of a later revision only the parts that changed are fetched', async (t) => {
  const { clock, mesh, gateway } = scene(t);
  await gateway('a', SECOND.parts);
  const b = await gateway('b', FIRST.parts);
  await clock.advance(5_000);
  const before = mesh.carried.pieceBytes;
  b.exchange.want([SECOND.revision, FIRST.revision]);
  await clock.advance(5_000);
  t.ok(b.isWhole(SECOND));
  const changed = SECOND.parts.filter(({ hash }) => !FIRST.parts.some((part) => part.hash === hash));
  t.ok(changed.length < SECOND.parts.length);
  t.equal(
    mesh.carried.pieceBytes - before,
    changed.reduce((sum, { content }) => sum + content.length, 0),
  );
});

t.test('once the newest revision is whole, parts that it and the one before it do not name are dropped', async (t) => {
  const { clock, gateway } = scene(t);
  await gateway('a', THIRD.parts);
  const b = await gateway('b', [...FIRST.parts, ...SECOND.parts]);
  b.exchange.want([THIRD.revision, SECOND.revision]);
  await clock.advance(10_000);
  t.ok(b.isWhole(THIRD) && b.isWhole(SECOND));
  const named = new Set([...SECOND.parts, ...THIRD.parts].map(({ hash }) => hash));
  for (const { hash } of FIRST.parts) t.equal(b.disk.has(hash), named.has(hash));
});

t.test('a neighbour that brings what it was not asked for is refused, and nothing of it is stored', async (t) => {
  const { clock, mesh, gateway } = scene(t);
  const liar = mesh.join('liar', 'liar');
  const junk = new Uint8Array(1_000).fill(9);
  await liar.start({ ...IGNORE, serve: () => [junk] });
  t.teardown(() => liar.stop());
  const b = await gateway('b');
  b.exchange.want([FIRST.revision]);
  await clock.advance(5_000);
  t.ok(mesh.carried.refusals > 0);
  t.notOk(b.disk.has(Buffer.from(nodeCrypto.sha256(junk)).toString('hex')));
  await gateway('c', FIRST.parts);
  await clock.advance(10_000);
  t.ok(b.isWhole(FIRST), 'an honest one brings them');
});

t.test('a disk that takes nothing is tried at a pace, and then again', async (t) => {
  const { clock, gateway } = scene(t);
  let isFull = true;
  await gateway('a', FIRST.parts);
  const b = await gateway('b', [], () => isFull);
  b.exchange.want([FIRST.revision]);
  await clock.advance(20_000);
  t.match(b.failures[0], { code: 'ERR_POLICY_PARTS_FAILED' });
  const pauses = b.puts.slice(1).map((atMs, index) => atMs - (b.puts[index] ?? 0));
  t.ok(Math.min(...pauses) >= PART_RETRY_PAUSE_MS, `${pauses.join(', ')} ms`);
  isFull = false;
  await clock.advance(5_000);
  t.ok(b.isWhole(FIRST));
});

t.test('a reply that stops coming is given up', async (t) => {
  const clock = new VirtualClock({ startUnixMs: 0 });
  const disk = new Map<string, Uint8Array>();
  const store: PartStore = {
    has: (hash) => disk.has(hash),
    get: (hash) => disk.get(hash),
    put: (parts) => parts.forEach(({ hash, content }) => disk.set(hash, content)),
    keepOnly: () => undefined,
    close: () => undefined,
  };
  let handlers = IGNORE;
  const cancelled: string[] = [];
  const network: MeshNetwork = {
    start: async (given) => void (handlers = given),
    send: () => undefined,
    refuse: () => undefined,
    stop: async () => undefined,
    request: (neighbour, request) => {
      let cancel: () => void = () => undefined;
      const ended = new Promise<void>((resolve) => (cancel = resolve));
      const { hashes = [] } = MeshRequest.decode(request).parts ?? {};
      return {
        cancel: () => {
          cancelled.push(neighbour);
          cancel();
        },
        async *[Symbol.asyncIterator]() {
          if (neighbour === 'mute') return await ended;
          for (const hash of hashes) yield FIRST.parts.find((part) => part.hash === hash)?.content ?? new Uint8Array();
        },
      };
    },
  };
  const tools = nodePartTools;
  const exchange = new PartExchange({
    clock,
    crypto: nodeCrypto,
    tools,
    network,
    store,
    siteId: 'harbour',
    onFailure: (error) => t.fail(String(error)),
  });
  await exchange.start(IGNORE);
  t.teardown(() => exchange.stop());
  exchange.want([FIRST.revision]);
  handlers.onConnected('mute');
  await clock.advance(PART_SILENCE_MAX_MS - 100);
  t.strictSame(cancelled, []);
  handlers.onConnected('good');
  await clock.advance(200);
  t.equal(cancelled[0], 'mute');
  await clock.advance(5_000);
  t.strictSame(surveyParts(tools, FIRST.revision, store).missing, []);
});

t.test('a request of another site is not served, and one for a log is handed on', async (t) => {
  const { clock, mesh } = scene(t);
  const served: Uint8Array[] = [];
  const store = { has: () => true, get: () => new Uint8Array(3), put: () => undefined, keepOnly: () => undefined };
  const network = mesh.join('a', 'a');
  const exchange = new PartExchange({
    clock,
    crypto: nodeCrypto,
    tools: nodePartTools,
    network,
    store: { ...store, close: () => undefined },
    siteId: 'harbour',
    onFailure: () => undefined,
  });
  await exchange.start({
    ...IGNORE,
    serve: (_neighbour, request) => {
      served.push(request);
      return [];
    },
  });
  const asking = mesh.join('b', 'b');
  await asking.start(IGNORE);
  t.teardown(() => Promise.all([exchange.stop(), asking.stop()]));
  await clock.advance(5_000);
  const ask = async (request: Uint8Array) => {
    const pieces: Uint8Array[] = [];
    const reading = (async () => {
      for await (const piece of asking.request('a', request)) pieces.push(piece);
    })();
    await clock.advance(5_000);
    await reading;
    return pieces.length;
  };
  const hashes = ['00'.repeat(32), '11'.repeat(32)];
  t.equal(await ask(MeshRequest.encode({ parts: { site: 'harbour', hashes } })), 2);
  t.equal(await ask(MeshRequest.encode({ parts: { site: 'elsewhere', hashes } })), 0);
  t.equal(served.length, 0);
  const log = MeshRequest.encode({ log: { site: 'harbour', author: new Uint8Array(32), ends: [] } });
  t.equal(await ask(log), 0);
  t.strictSame(served, [log]);
});

t.test(
  'parts that a courier brought are stored as far as they are missing, index parts and what those name',
  async (t) => {
    const { gateway } = scene(t);
    const b = await gateway('b');
    const contents = [...FIRST.parts, ...SECOND.parts].map(({ content }) => content);
    t.equal(b.exchange.offer(contents), 0, 'nothing is wanted yet');
    b.exchange.want([FIRST.revision]);
    t.equal(b.exchange.offer(contents), new Set(FIRST.parts.map(({ hash }) => hash)).size);
    t.ok(b.isWhole(FIRST));
    t.equal(b.exchange.missingCount, 0);
    t.equal(b.exchange.offer(contents), 0, 'all of it is there, and the rest is of no use');
    t.notOk(b.isWhole(SECOND));
  },
);
