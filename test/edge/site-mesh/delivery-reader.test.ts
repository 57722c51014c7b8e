import t from 'tap';
import { DeliveryLog } from '@sparc/protocol/delivery';
import { Entitlements } from '@sparc/protocol/directive';
import { emptied, pureCrypto, type Batch, type StoredRecord } from '@sparc/protocol/ledger';
import type { LogCommit } from '@sparc/protocol/ports';
import { toHex } from '@sparc/edge/platform';
import { DELIVERY_PAUSE_MS, DELIVERY_SLICE_MS, DeliveryReader } from '@sparc/edge/site-mesh';
import { VirtualClock } from '@sparc/simulator/world';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

/** A log of one author that grows; reading a batch takes `costMs`. */
function setUp(costMs = 0) {
  const clock = new VirtualClock();
  let spentMs = 0;
  const chain = new TestChain(testSigner(3));
  const author = toHex(chain.signer.publicKey);
  const batches: Batch[] = [];
  const failures: string[] = [];
  let isDamaged = false;
  let directivesCount = 0;
  const delivery = new DeliveryLog(() => true, new Entitlements(undefined));
  const reader = new DeliveryReader({
    clock: {
      monotonicMs: () => clock.monotonicMs() + spentMs,
      wall: () => clock.wall(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    },
    delivery,
    onDirective: () => (directivesCount += 1),
    onFailure: (error, what) => failures.push(`${what}: ${String(error)}`),
    logs: {
      logs: () => new Map(chain.head === undefined ? [] : [[author, [{ head: chain.head }]]]),
      batchAfter: (_author, { sequence }) => {
        if (isDamaged) throw new Error('a cell cannot be read');
        const batch = batches.find(({ firstSequence }) => firstSequence === sequence + 1);
        if (batch !== undefined) spentMs += costMs;
        return batch;
      },
    },
  });
  const append = (...commits: readonly LogCommit[]) => batches.push(...batchesOf(commits));
  const revocation = (number: number): StoredRecord => ({
    name: 'revocation.applied',
    detail: { number: String(number), directive: 'ab'.repeat(16) },
  });
  return {
    clock,
    chain,
    reader,
    failures,
    revocation,
    append,
    grew: () => reader.grew(author),
    damage: (is: boolean) => (isDamaged = is),
    number: () => delivery.reportOf(author).revocation.number,
    directivesCount: () => directivesCount,
  };
}

t.test('what was there at the start is read, and then what comes', async (t) => {
  const { clock, chain, reader, append, revocation, grew, number, directivesCount } = setUp();
  append(chain.open(1, [revocation(1)]), chain.add({ name: 'gateway.started' }));
  reader.start();
  t.notOk(reader.isComplete);
  await clock.run(0);
  t.ok(reader.isComplete);
  t.equal(number(), 1);
  append(chain.add(revocation(2)));
  grew();
  await clock.run(0);
  t.equal(number(), 2);
  t.equal(directivesCount(), 2, 'it is told of news of directives alone');
});

t.test('much is read in slices, and news wait for their turn', async (t) => {
  const { clock, chain, reader, append, revocation, grew, number } = setUp(DELIVERY_SLICE_MS / 2);
  append(chain.open(1), ...[1, 2, 3, 4, 5].map((each) => chain.add(revocation(each))));
  reader.start();
  await clock.run(0);
  t.equal(number(), 1, 'the opening of the epoch and one more');
  grew();
  await clock.run(0);
  t.equal(number(), 1, 'the network has its turn');
  await clock.run(DELIVERY_PAUSE_MS);
  t.equal(number(), 3);
  t.notOk(reader.isComplete);
  await clock.run(3 * DELIVERY_PAUSE_MS);
  t.equal(number(), 5);
  t.ok(reader.isComplete);
});

t.test('what was emptied proves nothing, and stops nothing', async (t) => {
  const { clock, chain, reader, append, revocation, number, failures } = setUp();
  const { entries, ...commit } = chain.open(1, [{ name: 'door.opened', doorId: 'front' }, revocation(1)]);
  const left = entries.map((entry) => ({ ...entry, content: emptied(pureCrypto, entry.content) ?? entry.content }));
  t.not(left[1]?.content.length, entries[1]?.content.length);
  append({ ...commit, entries: left });
  reader.start();
  await clock.run(0);
  t.equal(number(), 1);
  t.same(failures, []);
});

t.test('a gateway that writes faster than it is read keeps nobody else waiting', async (t) => {
  const clock = new VirtualClock();
  let spentMs = 0;
  const chains = [new TestChain(testSigner(3)), new TestChain(testSigner(4))] as const;
  const [loud, quiet] = chains.map(({ signer }) => toHex(signer.publicKey));
  const batches = chains.map((chain) => batchesOf([chain.open(1), chain.add({ name: 'gateway.started' })]));
  const delivery = new DeliveryLog(() => true, new Entitlements(undefined));
  const reader = new DeliveryReader({
    clock: {
      monotonicMs: () => clock.monotonicMs() + spentMs,
      wall: () => clock.wall(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    },
    delivery,
    onDirective: () => undefined,
    onFailure: (error) => t.fail(String(error)),
    logs: {
      logs: () =>
        new Map(chains.map(({ signer, head }) => [toHex(signer.publicKey), head === undefined ? [] : [{ head }]])),
      batchAfter: (author, { sequence }) => {
        const [chain, of] = author === loud ? [chains[0], batches[0]] : [chains[1], batches[1]];
        spentMs += DELIVERY_SLICE_MS;
        if (author === loud) of?.push(...batchesOf([chain.add({ name: 'gateway.started' })]));
        return of?.find(({ firstSequence }) => firstSequence === sequence + 1);
      },
    },
  });
  t.teardown(() => reader.stop());
  reader.start();
  await clock.run(6 * DELIVERY_PAUSE_MS);
  t.ok((delivery.reportOf(loud ?? '').newest?.id.sequence ?? 0) > 1);
  t.not(delivery.reportOf(quiet ?? '').newest, undefined);
});

t.test('a log that cannot be read is told, and read on when it grows', async (t) => {
  const { clock, chain, reader, append, revocation, grew, damage, failures, number } = setUp();
  append(chain.open(1, [revocation(1)]));
  damage(true);
  reader.start();
  await clock.run(0);
  t.match(failures, [/a cell cannot be read/]);
  t.ok(reader.isComplete, 'other logs are not held up by it');
  damage(false);
  grew();
  await clock.run(0);
  t.equal(number(), 1);
});

t.test('an event that a newer version wrote in another form proves nothing and holds nothing up', async (t) => {
  const { clock, chain, reader, append, revocation, number, failures } = setUp();
  append(chain.open(1, [{ name: 'from.the_future' }, revocation(3)]));
  reader.start();
  await clock.run(0);
  t.equal(number(), 3);
  t.strictSame(failures, []);
});

t.test('once it is stopped it reads nothing more', async (t) => {
  const { clock, chain, reader, append, revocation, grew, number } = setUp();
  append(chain.open(1, [revocation(1)]));
  reader.start();
  await clock.run(0);
  reader.stop();
  append(chain.add(revocation(2)));
  grew();
  await clock.run(1_000);
  t.equal(number(), 1);
});
