import t, { type Test } from 'tap';
import { nodeCrypto } from '@sparc/edge/ledger';
import { hasEmptiedEarly } from '@sparc/edge/replica';
import { EntryContent, KEPT_MS, verifyBatch, type Batch, type SignedHead } from '@sparc/protocol/ledger';
import type { TimeQuality } from '@sparc/protocol/ports';
import { tipsOf } from '@sparc/protocol/replication';
import { SimulatedLog, SimulatedMesh } from '@sparc/simulator/mesh';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { GatewayInMesh, keyOf, opened } from './gateway-in-mesh.js';

const DAY_MS = KEPT_MS / 7;
/** When `TestChain` makes its first entry. */
const WRITTEN_UNIX_MS = 1_767_600_000_000;

interface Site {
  readonly clock: VirtualClock;
  readonly mesh: SimulatedMesh;
  readonly cold: GatewayInMesh;
  readonly author: GatewayInMesh;
  /** Hold the log of the author. */
  readonly others: readonly [GatewayInMesh, GatewayInMesh];
}

/** Two gateways hold the log of one that is off, so long after it was written; a fourth one has nothing and is off. */
async function site(t: Test, ageMs: number, quality: TimeQuality = 'synced'): Promise<Site> {
  const clock = new VirtualClock({ startUnixMs: WRITTEN_UNIX_MS + ageMs, quality });
  const mesh = new SimulatedMesh(clock, new SeededRandom(1));
  const keys = new Set([1, 2, 3, 4].map(keyOf));
  const [author, first, second, cold] = [1, 2, 3, 4].map(
    (number) => new GatewayInMesh(mesh, `gateway-${number}`, number, (key) => keys.has(key)),
  ) as [GatewayInMesh, GatewayInMesh, GatewayInMesh, GatewayInMesh];
  t.teardown(() => Promise.all([author, first, second, cold].map((each) => each.stop())));
  author.commit(author.chain.open(1, [opened, { name: 'site.lockdown' }]));
  for (let count = 0; count < 20; count++) author.commit(author.chain.add(opened, opened));
  for (const each of [author, first, second]) await each.start();
  await clock.advance(3_000);
  await author.stop();
  mesh.powerOff(author.machine);
  return { clock, mesh, cold, author, others: [first, second] };
}

/** Of the author's log at one of the others: `+` an entry with its body, `-` one without. */
function bodies({ author }: Site, at: GatewayInMesh): string {
  let found = '';
  for (let sequence = 0; ;) {
    const { epoch } = author.chain.head as SignedHead;
    const batch = at.store.batchAfter(author.author, { epoch, sequence });
    if (batch === undefined) return found;
    sequence += batch.contents.length;
    found += batch.contents.map((content) => (EntryContent.decode(content).digest === undefined ? '+' : '-')).join('');
  }
}

const WHOLE = '+'.repeat(43);
const EMPTIED = `+-+${'-'.repeat(40)}`;

function empty({ author }: Site, at: GatewayInMesh): void {
  while (at.store.empty(author.author, author.chain.head as SignedHead));
}

t.test('who starts without a log has it from the one that is honest, whichever it asks first', async (t) => {
  for (const liar of [0, 1] as const) {
    const all = await site(t, DAY_MS);
    const { clock, mesh, cold, others } = all;
    empty(all, others[liar]);
    t.equal(bodies(all, others[liar]), EMPTIED);
    await cold.start();
    await clock.advance(3_000);
    t.equal(bodies(all, cold), WHOLE);
    t.equal(mesh.carried.refusals, 0, 'nobody is punished');
  }
});

t.test('it waits some seconds for somebody who has the bodies, too', async (t) => {
  const all = await site(t, DAY_MS);
  const { clock, mesh, cold, others } = all;
  const [liar, honest] = others;
  empty(all, liar);
  const repair = mesh.cut(honest.machine, cold.machine);
  await cold.start();
  await clock.advance(3_000);
  t.equal(bodies(all, cold), '');
  repair();
  await clock.advance(60_000);
  t.equal(bodies(all, cold), WHOLE);
});

t.test('where nobody has the bodies it takes what there is, and goes on', async (t) => {
  for (const liarsCount of [1, 2]) {
    const all = await site(t, DAY_MS);
    const { clock, mesh, cold, author, others } = all;
    for (const liar of others.slice(0, liarsCount)) empty(all, liar);
    for (const other of others.slice(liarsCount)) mesh.powerOff(other.machine);
    await cold.start();
    await clock.advance(20_000);
    t.equal(bodies(all, cold), EMPTIED);
    await author.start();
    author.commit(author.chain.add(opened));
    await clock.advance(3_000);
    t.equal(bodies(all, cold), `${EMPTIED}+`);
  }
});

t.test('what is old enough to be emptied, or of no known age, is taken at once', async (t) => {
  for (const [ageMs, quality] of [
    [KEPT_MS, 'synced'],
    [DAY_MS, 'unsynced'],
  ] as const) {
    const all = await site(t, ageMs, quality);
    const { clock, cold, others } = all;
    for (const other of others) empty(all, other);
    await cold.start();
    await clock.advance(1_000);
    t.equal(bodies(all, cold), EMPTIED, quality);
  }
});

t.test('an author whose disk was set back gets what it lost, as far as others have it', async (t) => {
  const all = await site(t, KEPT_MS);
  const { clock, author, others } = all;
  for (const other of others) empty(all, other);
  const lost = author.own;
  author.own = new SimulatedLog();
  const { epoch } = author.chain.head as SignedHead;
  const first = lost.batchAfter({ epoch, sequence: 0 }) as Batch;
  const { entries, head } = verifyBatch(nodeCrypto, first);
  author.own.add({ entries: entries.slice(0, 3), head: { ...head, sequence: 3, hash: entries[2]?.hash ?? head.hash } });
  await author.start();
  await clock.advance(3_000);
  t.equal(bodies(all, author), EMPTIED);
  t.equal(tipsOf(author.replicator.logs.logs().get(author.author) ?? [])[0]?.sequence, 43, 'and gives it to others');
  t.strictSame(author.failures, []);
});

t.test('what a courier brings without bodies is taken, and new once', async (t) => {
  const all = await site(t, DAY_MS);
  const { cold, author, others } = all;
  const [other] = others;
  empty(all, other);
  await cold.start();
  const { epoch } = author.chain.head as SignedHead;
  const batch = other.store.batchAfter(author.author, { epoch, sequence: 0 }) as Batch;
  t.equal(cold.replicator.offer(batch), batch.contents.length);
  t.equal(cold.replicator.offer(batch), 0);
  t.equal(bodies(all, cold), EMPTIED.slice(0, batch.contents.length));
});

t.test('an entry is emptied early until it is six days old', async (t) => {
  const all = await site(t, DAY_MS);
  const [other] = all.others;
  empty(all, other);
  const { epoch } = all.author.chain.head as SignedHead;
  const batch = other.store.batchAfter(all.author.author, { epoch, sequence: 40 }) as Batch;
  const at = (unixMs: number, quality: TimeQuality = 'holdover') => hasEmptiedEarly(batch, { unixMs, quality });
  const last = Math.max(...batch.contents.map((content) => EntryContent.decode(content).wallUnixMs));
  t.ok(at(last + 6 * DAY_MS - 1));
  t.notOk(at(last + 6 * DAY_MS));
  t.notOk(at(last, 'stepped'));
});
