import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { VirtualClock } from '@sparc/simulator/world';
import t from 'tap';
import { nodeCrypto } from '@sparc/edge/ledger';
import { ExpulsionBook, ExpulsionFile, type ExpulsionStore } from '@sparc/edge/membership';
import type { EventDraft } from '@sparc/protocol/events';
import type { SignedHead } from '@sparc/protocol/ledger';
import { mergeExpulsions, signRoster, withExpulsions, type Expulsion } from '@sparc/protocol/roster';
import { checkProperty } from '../../support/property.js';
import { keyOf, member, rosterWith } from '../../support/roster.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { AUTHORITY, codeOf, membershipScene } from './membership-scene.js';

const GONE = keyOf(1);

/** Heads of gateway 1: two of its first epoch, one of its second. */
function headsOf(seed = 1): readonly [SignedHead, SignedHead, SignedHead] {
  const chain = new TestChain(testSigner(seed));
  return [
    chain.open(1).head,
    chain.add({ name: 'gateway.started' }, { name: 'gateway.stopped' }).head,
    chain.open(2).head,
  ];
}

const directed = (heads: readonly SignedHead[], gateway = GONE) => ({
  gateway,
  heads,
  directive: 'ab'.repeat(16),
  by: 'Ada',
  cause: Promise.resolve(undefined),
});

function bookOf(store: ExpulsionStore) {
  const records: EventDraft[] = [];
  const told: (readonly Expulsion[])[] = [];
  const failures: string[] = [];
  const book = new ExpulsionBook({
    clock: new VirtualClock({ startUnixMs: 0 }),
    crypto: nodeCrypto,
    store,
    record: (event) => records.push(event),
    onExpelled: (all) => told.push(all),
    onFailure: (_error, what) => failures.push(what),
  });
  book.start();
  return { book, records, told, failures };
}

t.test(
  'whom an operator expelled is no member from then on, and stays an author up to what was attested',
  async (t) => {
    const { dataDir, joins, opened, self, signed } = membershipScene(t);
    joins();
    const running = opened();
    let changesCount = 0;
    running.onChange(() => void (changesCount += 1));
    const { book, records, told } = bookOf(new ExpulsionFile(dataDir));
    const [head] = headsOf();
    t.ok(running.admits(GONE, signed()));
    await book.expel(directed([head]));
    t.strictSame(records, [
      { name: 'mesh.expulsion_directed', detail: { gateway: GONE, by: 'Ada', directive: 'ab'.repeat(16) } },
    ]);
    running.takeExpulsions(told[0] ?? []);
    running.takeExpulsions([]);
    t.equal(changesCount, 1);
    for (const membership of [running, opened()]) {
      t.notOk(membership.admits(GONE, signed()));
      t.strictSame(membership.members(), [self]);
      t.ok(membership.isAuthor(GONE));
      t.strictSame(membership.attestedHeads(GONE), [head]);
    }
  },
);

t.test(
  'a newer roster that still has the gateway does not bring it back, and one that expels it outranks',
  async (t) => {
    const { joins, opened, self, signed } = membershipScene(t);
    joins();
    const [first, second] = headsOf();
    const membership = opened();
    membership.takeExpulsions([{ key: GONE, heads: [first] }]);
    membership.takeRoster(signed({ epoch: 5 }));
    t.equal(membership.newest.epoch, 5);
    t.strictSame(membership.members(), [self]);
    const expelled = [{ key: GONE, name: 'gateway-1', heads: [second] }];
    membership.takeRoster(signRoster(AUTHORITY, rosterWith([self], { epoch: 6, expelled })));
    t.strictSame(membership.attestedHeads(GONE), [second]);
    t.strictSame(membership.newest.expelled, expelled);
  },
);

t.test('two expulsions of a gateway come to the same in any order', (t) => {
  const heads = headsOf();
  const some = fc.subarray([...heads]).map((each) => [{ key: GONE, heads: each }]);
  checkProperty(
    fc.property(some, some, (a, b) => {
      const [ab, ba] = [mergeExpulsions(a, b), mergeExpulsions(b, a)];
      const all = new Set([...(a[0]?.heads ?? []), ...(b[0]?.heads ?? [])]);
      const isLed = [...all].every((head) =>
        ab[0]?.heads.some(({ epoch, sequence }) => epoch.counter === head.epoch.counter && sequence >= head.sequence),
      );
      return (
        isLed &&
        JSON.stringify(ab) === JSON.stringify(ba) &&
        JSON.stringify(mergeExpulsions(ab, b)) === JSON.stringify(ab)
      );
    }),
  );
  t.pass();
  t.end();
});

t.test('whoever is on no roster is not expelled from it', async (t) => {
  const roster = rosterWith([member(1)]);
  t.equal(withExpulsions(roster, [{ key: keyOf(9), heads: [] }]), roster);
});

t.test('heads that the gateway did not sign are refused, and nothing changes', async (t) => {
  const { book, records, told } = bookOf({ load: () => [], save: () => Promise.resolve() });
  const [head] = headsOf();
  const [foreign] = headsOf(2);
  for (const wrong of [foreign, { ...head, sequence: 7 }]) {
    await t.rejects(book.expel(directed([wrong])), { code: 'ERR_MESH_HEAD_INVALID' });
  }
  t.strictSame([records, told, book.all], [[], [], []]);
});

t.test('an expulsion that the disk does not take counts, and is told as one that a restart forgets', async (t) => {
  let isDiskGone = true;
  let saved: readonly Expulsion[] = [];
  const save = (all: readonly Expulsion[]) =>
    isDiskGone ? Promise.reject(new Error('no disk')) : Promise.resolve(void (saved = all));
  const { book, told, failures } = bookOf({ load: () => [], save });
  await t.rejects(book.expel(directed([])), { code: 'ERR_MESH_EXPULSION_UNSAVED' });
  t.strictSame(told, [[{ key: GONE, heads: [] }]]);
  t.strictSame(failures, ['an expulsion cannot be saved: a restart forgets it']);
  isDiskGone = false;
  await book.expel(directed([], keyOf(2)));
  t.strictSame(saved, book.all, 'the next save has it');
  t.equal(saved.length, 2);
});

t.test('with a list that is damaged, nobody knows who belongs to the site until the gateway joins again', async (t) => {
  const { dataDir, joins, open, self } = membershipScene(t);
  joins();
  for (const text of ['[{}]', `[{"key":"${GONE}","heads":["{}"]}]`]) {
    writeFileSync(join(dataDir, 'mesh', 'expelled.json'), text, { mode: 0o600 });
    t.equal(codeOf(open), 'ERR_MESH_MEMBERSHIP_DAMAGED', text);
  }
  joins();
  t.strictSame(open()?.members(), [self, member(1)]);
});
