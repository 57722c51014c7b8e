import t from 'tap';
import { CloudWords, Emptier } from '@sparc/edge/emptying';
import { verifySignature } from '@sparc/edge/platform';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import type { StoredRecord } from '@sparc/protocol/ledger';
import { appendOf, SimulatedLog } from '@sparc/simulator/mesh';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const cloud = testSigner(99);
const opened = { name: 'door.opened', doorId: 'front' };
const started = { name: 'gateway.started' };
const used = { name: 'use_limit.changed', credentialId: 'ada', detail: { uses: '1' } };
const told = (part: number, isLast: boolean): StoredRecord => ({
  name: 'use_limit.restated',
  detail: { part: String(part), counts: 'ada=1', ...(isLast && { complete: 'true' }) },
});

/** Epochs with these records each, all in the cloud long enough, and one that goes on. */
function setUp(...epochs: readonly (readonly StoredRecord[])[]) {
  const chain = new TestChain();
  const log = new SimulatedLog();
  const open = (...records: readonly StoredRecord[]) => {
    log.add(appendOf(chain.open(log.log.length + 1)));
    if (records.length > 0) log.add(appendOf(chain.add(...records)));
  };
  for (const records of epochs) open(...records);
  open();
  const words = new CloudWords({
    wall: () => ({ unixMs: 1_000_000, quality: 'synced' }),
    verify: verifySignature,
    siteId: 'harbour',
    cloudKey: cloud.publicKey,
    keptMs: 1_000,
  });
  const say = (issuedUnixMs: number) =>
    words.take(
      signAcknowledgement(cloud, {
        site: 'harbour',
        issuedUnixMs,
        complete: true,
        heads: chain.head === undefined ? [] : [chain.head],
      }),
    );
  let readsCount = 0;
  const emptied: number[] = [];
  const emptier = new Emptier({
    words,
    log: {
      author: Buffer.from(chain.signer.publicKey).toString('hex'),
      log: () => log.log,
      hashAt: (epoch, sequence) => log.hashAt(epoch, sequence),
      batchAfter: (after) => {
        readsCount += 1;
        return log.batchAfter(after);
      },
    },
    isNeeded: () => false,
    empty: ({ head: { epoch } }) => {
      emptied.push(epoch.counter);
      log.empty(epoch);
    },
  });
  const round = () => {
    emptied.length = readsCount = 0;
    while (emptier.step());
    return [...emptied];
  };
  say(1);
  return { open, say, round, reads: () => readsCount };
}

t.test('what a gateway said of its last start counts until it starts again', (t) => {
  const { open, say, round } = setUp([started], [started, opened], [opened]);
  t.same(round(), [3, 1]);
  open(started);
  open();
  say(2);
  t.same([round(), round()], [[], [2]], 'the fourth is small, and the fifth said it again');
  t.end();
});

t.test('uses of cards with a limit count until all were told again, from the first part to the last', (t) => {
  t.same(setUp([used, opened], [opened], [told(1, true), used], [used]).round(), [2, 1]);
  t.same(setUp([used], [told(1, false)], [told(2, true)], [opened]).round(), [4], 'over the end of an epoch');
  t.same(setUp([used], [told(1, false), told(2, true)], [opened]).round(), [3, 1]);
  t.same(setUp([used], [opened]).round(), [2], 'nobody told them');
  t.end();
});

t.test('what is kept, or is no more than what always stays, is read once', (t) => {
  const { round, reads } = setUp([{ name: 'site.released' }], [], [used]);
  t.same(round(), []);
  t.ok(reads() > 3);
  t.same(round(), []);
  t.equal(reads(), 0);
  t.end();
});
