import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { nodeCrypto } from '@sparc/edge/ledger';
import { policyContentOf, validateSiteFile } from '@sparc/edge/policy';
import { nodePartTools, POLICY_SMALL_BYTES_MAX, SqlitePartStore } from '@sparc/edge/policy-parts';
import {
  PART_ASKED_AGAIN_MS,
  PART_DISK_PAUSE_MS,
  PART_REPLY_MAX_MS,
  PART_RETRY_PAUSE_MS,
  PART_SILENCE_MAX_MS,
  PartExchange,
  type WantedRevision,
} from '@sparc/edge/site-mesh';
import { DISK_FREE_BYTES_MIN } from '@sparc/edge/replica';
import { SparcError } from '@sparc/protocol/errors';
import {
  cutRevision,
  IndexPart,
  PART_BYTES_MAX,
  surveyParts,
  type PolicyRevision,
} from '@sparc/protocol/policy-revision';
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

const wanted = (...all: readonly { revision: PolicyRevision; use?: WantedRevision['use'] }[]): WantedRevision[] =>
  all.map(({ revision, use = 'fetch' }) => ({ revision, use }));
const hashOf = (content: Uint8Array) => Buffer.from(nodeCrypto.sha256(content)).toString('hex');

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
  const disks = { freeBytes: 2 * DISK_FREE_BYTES_MIN };
  const stops: (() => unknown)[] = [];
  t.teardown(async () => {
    for (const stop of stops) await stop();
    rmSync(path, { recursive: true });
  });
  const gateway = async (
    name: string,
    parts: readonly Part[] = [],
    refusing = (_parts: readonly Part[]) => false,
    broken = () => false,
  ) => {
    const disk = SqlitePartStore.open(join(path, `${name}.db`));
    disk.put(parts);
    const puts: number[] = [];
    const store: PartStore = {
      has: (hash) => disk.has(hash),
      get: (hash) => {
        if (broken()) throw new SparcError('ERR_POLICY_PARTS_FAILED', 'disk I/O error');
        return disk.get(hash);
      },
      drop: (hash) => disk.drop(hash),
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
      freeBytes: () => disks.freeBytes,
      onHere: () => undefined,
      onFailure: (error) => void failures.push(error),
    });
    stops.push(
      () => disk.close(),
      () => exchange.network.stop(),
    );
    await exchange.network.start(IGNORE);
    const isWhole = ({ revision }: { revision: PolicyRevision }) =>
      surveyParts(nodePartTools, revision, disk).missing.length === 0;
    return { exchange, disk, puts, failures, isWhole };
  };
  return { clock, mesh, gateway, disks };
}

t.test('parts come from a neighbour that has them, and go on to the next one', async (t) => {
  const { clock, mesh, gateway } = scene(t);
  mesh.cut('a', 'c');
  await gateway('a', FIRST.parts);
  const [b, c] = [await gateway('b'), await gateway('c')];
  for (const { exchange } of [b, c]) exchange.want(wanted(FIRST));
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
  c.exchange.want(wanted(FIRST));
  await clock.advance(20_000);
  t.ok(c.isWhole(FIRST));
});

t.test('of a later revision only the parts that changed are fetched', async (t) => {
  const { clock, mesh, gateway } = scene(t);
  await gateway('a', SECOND.parts);
  const b = await gateway('b', FIRST.parts);
  await clock.advance(5_000);
  const before = mesh.carried.pieceBytes;
  b.exchange.want(wanted(SECOND, FIRST));
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
  b.exchange.want(wanted(THIRD, SECOND));
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
  b.exchange.want(wanted(FIRST));
  await clock.advance(5_000);
  t.ok(mesh.carried.refusals > 0);
  t.notOk(b.disk.has(hashOf(junk)));
  await gateway('c', FIRST.parts);
  await clock.advance(10_000);
  t.ok(b.isWhole(FIRST), 'an honest one brings them');
});

t.test('a disk that takes nothing is tried at a pace, and then again', async (t) => {
  const { clock, gateway } = scene(t);
  let isFull = true;
  await gateway('a', FIRST.parts);
  const b = await gateway('b', [], () => isFull);
  b.exchange.want(wanted(FIRST));
  await clock.advance(20_000);
  t.match(b.failures[0], { code: 'ERR_POLICY_PARTS_FAILED' });
  const pauses = b.puts.slice(1).map((atMs, index) => atMs - (b.puts[index] ?? 0));
  t.ok(Math.min(...pauses) >= PART_RETRY_PAUSE_MS, `${pauses.join(', ')} ms`);
  isFull = false;
  await clock.advance(5_000);
  t.ok(b.isWhole(FIRST));
});

/** An exchange whose neighbours are played by the test: each serves what `replyOf` says, until it is cancelled. */
async function byHand(t: Test, replyOf: (neighbour: string, hashes: readonly string[]) => AsyncIterable<Uint8Array>) {
  const clock = new VirtualClock({ startUnixMs: 0 });
  const disk = new Map<string, Uint8Array>();
  const store: PartStore = {
    has: (hash) => disk.has(hash),
    get: (hash) => disk.get(hash),
    put: (parts) => parts.forEach(({ hash, content }) => disk.set(hash, content)),
    drop: (hash) => void disk.delete(hash),
    keepOnly: () => undefined,
    close: () => undefined,
  };
  let handlers = IGNORE;
  const asked: { neighbour: string; hashes: readonly string[]; atMs: number }[] = [];
  const cancelled: { neighbour: string; atMs: number }[] = [];
  const network: MeshNetwork = {
    start: async (given) => void (handlers = given),
    send: () => undefined,
    refuse: (neighbour) => t.fail(`${neighbour} is refused`),
    stop: async () => undefined,
    request: (neighbour, request) => {
      let cancel: () => void = () => undefined;
      const ended = new Promise<undefined>((resolve) => (cancel = () => resolve(undefined)));
      const { hashes = [] } = MeshRequest.decode(request).parts ?? {};
      asked.push({ neighbour, hashes, atMs: clock.monotonicMs() });
      return {
        cancel: () => {
          cancelled.push({ neighbour, atMs: clock.monotonicMs() });
          cancel();
        },
        async *[Symbol.asyncIterator]() {
          const reply = replyOf(neighbour, hashes)[Symbol.asyncIterator]();
          for (;;) {
            const piece = await Promise.race([ended, reply.next()]);
            if (piece === undefined || piece.done === true) return;
            yield piece.value;
          }
        },
      };
    },
  };
  const exchange = new PartExchange({
    clock,
    crypto: nodeCrypto,
    tools: nodePartTools,
    network,
    store,
    siteId: 'harbour',
    freeBytes: () => Infinity,
    onHere: () => undefined,
    onFailure: (error) => t.fail(String(error)),
  });
  await exchange.network.start(IGNORE);
  t.teardown(() => exchange.network.stop());
  const missing = () => surveyParts(nodePartTools, FIRST.revision, store).missing;
  return { clock, disk, exchange, asked, cancelled, missing, connect: (key: string) => handlers.onConnected(key) };
}

const contentOf = (hash: string) => FIRST.parts.find((part) => part.hash === hash)?.content ?? new Uint8Array();
async function* honest(hashes: readonly string[]) {
  for (const hash of hashes) yield contentOf(hash);
}
const never = new Promise<IteratorResult<Uint8Array>>(() => undefined);
const mute = { [Symbol.asyncIterator]: () => ({ next: () => never }) };

t.test('a reply that stops coming is given up', async (t) => {
  const scene = await byHand(t, (neighbour, hashes) => (neighbour === 'mute' ? mute : honest(hashes)));
  scene.exchange.want(wanted(FIRST));
  scene.connect('mute');
  await scene.clock.advance(PART_SILENCE_MAX_MS - 100);
  t.strictSame(scene.cancelled, []);
  scene.connect('good');
  await scene.clock.advance(200);
  t.match(scene.cancelled[0], { neighbour: 'mute' });
  await scene.clock.advance(5_000);
  t.strictSame(scene.missing(), []);
});

t.test('what came before a reply was cut is stored, so that a link that flaps brings all in the end', async (t) => {
  const scene = await byHand(t, (_neighbour, hashes) =>
    (async function* () {
      yield contentOf(hashes[0] ?? '');
      throw new Error('the link ended');
    })(),
  );
  scene.exchange.want(wanted(FIRST));
  scene.connect('flapping');
  await scene.clock.advance((FIRST.parts.length + 2) * (PART_RETRY_PAUSE_MS + 100));
  t.strictSame(scene.missing(), []);
});

t.test('a neighbour that brings a part now and then holds nobody up, and not for ever', async (t) => {
  const scene = await byHand(t, (neighbour, hashes) =>
    neighbour === 'good'
      ? honest(hashes)
      : (async function* () {
          for (const hash of hashes) {
            await new Promise<void>((resolve) => scene.clock.setTimer(PART_SILENCE_MAX_MS - 100, resolve));
            yield contentOf(hash);
          }
        })(),
  );
  // So that there is more than one part to be asked for.
  const [index = ''] = FIRST.revision.indexes;
  scene.disk.set(index, contentOf(index));
  scene.exchange.want(wanted(FIRST));
  scene.connect('slow');
  await scene.clock.advance(PART_ASKED_AGAIN_MS - 200);
  scene.connect('good');
  await scene.clock.advance(100);
  t.ok((scene.asked[0]?.hashes.length ?? 0) >= 3);
  t.strictSame(
    scene.asked.map(({ neighbour }) => neighbour),
    ['slow'],
    'it is waited for a while',
  );
  await scene.clock.advance(1_000);
  t.strictSame(scene.missing(), [], 'then another one is asked');
  t.strictSame(scene.cancelled.map(({ neighbour }) => neighbour).includes('slow'), false);
  await scene.clock.advance(PART_REPLY_MAX_MS);
  const given = scene.cancelled.find(({ neighbour }) => neighbour === 'slow');
  t.ok((given?.atMs ?? Infinity) <= PART_REPLY_MAX_MS, `${given?.atMs} ms`);
});

const LATER = { ...THIRD.revision, layout: THIRD.revision.layout + 1 };
const BROKEN = ((): typeof FIRST => {
  const noise = Uint8Array.of(255, 255, 255);
  return {
    revision: { ...THIRD.revision, indexes: [hashOf(noise)] },
    parts: [{ hash: hashOf(noise), content: noise }],
  };
})();

t.test('an older revision that cannot be read stands in the way of nothing, and keeps its index parts', async (t) => {
  for (const older of [
    { ...FIRST.revision, layout: 99 },
    { ...BROKEN.revision, number: 1 },
  ]) {
    const { clock, gateway } = scene(t);
    await gateway(`a${older.layout}`, [...SECOND.parts, ...BROKEN.parts]);
    const b = await gateway(`b${older.layout}`, [...FIRST.parts, ...BROKEN.parts]);
    b.exchange.want(wanted(SECOND, { revision: older }));
    await clock.advance(10_000);
    t.ok(b.isWhole(SECOND));
    for (const hash of older.indexes) t.ok(b.disk.has(hash));
    t.equal(b.failures.length, 1, 'told once');
  }
});

t.test('where the newest revision is of no use, the one before it is fetched', async (t) => {
  for (const [what, newest, parts] of [
    ['of another layout', { revision: LATER }, THIRD.parts],
    ['not readable', BROKEN, BROKEN.parts],
    ['rejected', { ...THIRD, use: 'rejected' as const }, THIRD.parts],
  ] as const) {
    const { clock, gateway } = scene(t);
    await gateway('a', [...SECOND.parts, ...parts]);
    const b = await gateway('b');
    b.exchange.want(wanted(newest, SECOND));
    await clock.advance(10_000);
    t.ok(b.isWhole(SECOND), what);
    t.equal(b.exchange.missingCount, 0);
  }
});

t.test('the one before the newest is not fetched while the newest may come into force', async (t) => {
  const { clock, gateway } = scene(t);
  await gateway('a', [...SECOND.parts, ...THIRD.parts]);
  const b = await gateway('b');
  b.exchange.want(wanted(THIRD, SECOND));
  await clock.advance(10_000);
  t.ok(b.isWhole(THIRD));
  t.notOk(b.isWhole(SECOND));
  b.exchange.want(wanted({ ...THIRD, use: 'rejected' }, { ...SECOND, use: 'keep' }));
  await clock.advance(10_000);
  t.notOk(b.isWhole(SECOND), 'nor what would not follow on what is in force');
});

const flipped = (content: Uint8Array) =>
  content.map((byte, index) => (index === content.length >> 1 ? byte ^ 1 : byte));

t.test('a part that was damaged on the disk is not served but fetched again', async (t) => {
  for (const index of [0, FIRST.parts.length - 1]) {
    const { clock, mesh, gateway } = scene(t);
    const { hash, content } = FIRST.parts[index] ?? { hash: '', content: new Uint8Array() };
    mesh.cut('b', 'c');
    const a = await gateway('a', FIRST.parts);
    a.exchange.want(wanted(FIRST));
    await clock.advance(2_000);
    a.disk.put([{ hash, content: flipped(content) }]);
    const b = await gateway('b');
    b.exchange.want(wanted(FIRST));
    await clock.advance(5_000);
    t.equal(mesh.carried.refusals, 0, 'nobody is blamed');
    t.equal(b.exchange.missingCount, 1);
    t.match(a.failures, [{ code: 'ERR_POLICY_PART_ABSENT' }]);
    await gateway('c', FIRST.parts);
    await clock.advance(10_000);
    t.strictSame(new Uint8Array(a.disk.get(hash) ?? []), new Uint8Array(content));
    t.ok(a.isWhole(FIRST) && b.isWhole(FIRST));
  }
});

t.test('parts that nobody asks for are found to be damaged when all are compared', async (t) => {
  const { clock, gateway } = scene(t);
  const a = await gateway('a', FIRST.parts);
  a.exchange.want(wanted(FIRST));
  await clock.advance(1_000);
  for (const { hash, content } of FIRST.parts) a.disk.put([{ hash, content: flipped(content) }]);
  await gateway('b', FIRST.parts);
  await clock.advance(5_000);
  const damaged = () => FIRST.parts.filter(({ hash }) => hashOf(a.disk.get(hash) ?? new Uint8Array()) !== hash).length;
  t.equal(damaged(), new Set(FIRST.parts.map(({ hash }) => hash)).size);
  a.exchange.check();
  await clock.advance(10_000);
  t.equal(damaged(), 0);
});

t.test('a disk that cannot be read is read again', async (t) => {
  const { clock, gateway } = scene(t);
  await gateway('a', FIRST.parts);
  let isBroken = true;
  const b = await gateway('b', [], undefined, () => isBroken);
  b.exchange.want(wanted(FIRST));
  await clock.advance(5_000);
  t.match(b.failures, [{ code: 'ERR_POLICY_PARTS_FAILED' }]);
  t.throws(() => b.exchange.offer([]), { code: 'ERR_POLICY_PARTS_FAILED' });
  isBroken = false;
  await clock.advance(PART_DISK_PAUSE_MS + 5_000);
  t.ok(b.isWhole(FIRST));
});

t.test('what is kept free for the journal stays free, but for a small change', async (t) => {
  const { clock, gateway, disks } = scene(t);
  const parts = [...FIRST.parts];
  const revision = hugeRevision(parts);
  const contents = parts.map(({ content }) => content);
  await gateway('a', parts);
  const b = await gateway('b');
  disks.freeBytes = DISK_FREE_BYTES_MIN + POLICY_SMALL_BYTES_MAX;
  b.exchange.want(wanted({ revision }));
  await clock.advance(30_000);
  t.notOk(b.isWhole({ revision }));
  t.equal(b.exchange.offer(contents), 0, 'nor is it taken from a courier');
  t.match(b.failures, [{ code: 'ERR_POLICY_DISK_RESERVE' }], 'told once');
  t.ok(b.exchange.isWithoutRoom);
  b.exchange.want(wanted(FIRST));
  await clock.advance(10_000);
  t.ok(b.isWhole(FIRST), 'a credential that is blocked waits for no disk');
  t.notOk(b.exchange.isWithoutRoom);
  b.exchange.want(wanted({ revision }));
  await clock.advance(10_000);
  t.ok(b.exchange.isWithoutRoom);
  disks.freeBytes *= 2;
  await clock.advance(PART_DISK_PAUSE_MS + 20_000);
  t.ok(b.isWhole({ revision }));
});

/** One with parts of a few MiB, which go to `parts`. */
function hugeRevision(parts: Part[]): PolicyRevision {
  const random = new SeededRandom(3);
  const part = (content: Uint8Array): Part => ({ hash: hashOf(content), content });
  const huge = Array.from({ length: 22 }, () => part(random.bytes(PART_BYTES_MAX)));
  const refs = huge.map(({ hash, content }) => ({ section: 'holders' as const, hash, sizeBytes: content.length }));
  const index = part(IndexPart.encode({ parts: refs }));
  parts.push(index, ...huge);
  return { ...FIRST.revision, number: 9, indexes: [index.hash] };
}

t.test('a request of another site is not served, and one for a log is handed on', async (t) => {
  const { clock, mesh } = scene(t);
  const served: Uint8Array[] = [];
  const held = [1, 2].map((byte) => new Uint8Array(3).fill(byte));
  const store = new Map(held.map((content) => [hashOf(content), content]));
  const network = mesh.join('a', 'a');
  const exchange = new PartExchange({
    clock,
    crypto: nodeCrypto,
    tools: nodePartTools,
    network,
    store: {
      has: (hash) => store.has(hash),
      get: (hash) => store.get(hash),
      put: () => undefined,
      drop: () => undefined,
      keepOnly: () => undefined,
      close: () => undefined,
    },
    siteId: 'harbour',
    freeBytes: () => Infinity,
    onHere: () => undefined,
    onFailure: () => undefined,
  });
  await exchange.network.start({
    ...IGNORE,
    serve: (_neighbour, request) => {
      served.push(request);
      return [];
    },
  });
  const asking = mesh.join('b', 'b');
  await asking.start(IGNORE);
  t.teardown(() => Promise.all([exchange.network.stop(), asking.stop()]));
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
  const hashes = [...store.keys()];
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
    b.exchange.want(wanted(FIRST));
    t.equal(b.exchange.offer(contents), new Set(FIRST.parts.map(({ hash }) => hash)).size);
    t.ok(b.isWhole(FIRST));
    t.equal(b.exchange.missingCount, 0);
    t.equal(b.exchange.offer(contents), 0, 'all of it is there, and the rest is of no use');
    t.notOk(b.isWhole(SECOND));
  },
);
