import t from 'tap';
import { OwnNews } from '@sparc/edge/site-mesh';
import { nodeCrypto } from '@sparc/edge/ledger';
import { verifyBatch } from '@sparc/protocol/ledger';
import { appendOf, SimulatedLog } from '@sparc/simulator/mesh';
import { TestChain } from '../../support/test-chain.js';

const opened = { name: 'door.opened', doorId: 'front' };

function setUp() {
  const log = new SimulatedLog();
  const chain = new TestChain();
  const news = new OwnNews({
    author: Buffer.from(chain.signer.publicKey).toString('hex'),
    log: () => log.log,
    hashAt: (epoch, sequence) => log.hashAt(epoch, sequence),
    batchAfter: (after) => log.batchAfter(after),
  });
  return { log, chain, news };
}

t.test('what was added since the last look is one batch, and nothing is no news', async (t) => {
  const { log, chain, news } = setUp();
  t.equal(news.look(), undefined, 'no log yet');
  log.add(appendOf(chain.open(1, [opened])));
  t.same(news.look(), {}, 'the first look finds a log, and nobody knows what of it is new');
  t.equal(news.look(), undefined);
  log.add(appendOf(chain.add(opened)));
  log.add(appendOf(chain.add(opened, opened)));
  const batch = news.look()?.batch;
  t.equal(batch?.firstSequence, 3);
  t.equal(batch && verifyBatch(nodeCrypto, batch).head.sequence, 5);
  t.equal(news.look(), undefined);
});

t.test('what is more than one batch, or another epoch, is news without it', async (t) => {
  const { log, chain, news } = setUp();
  log.add(appendOf(chain.open(1)));
  news.look();
  const large = Array.from({ length: 400 }, () => ({ ...opened, detail: { note: 'x'.repeat(1_000) } }));
  log.add(appendOf(chain.add(...large)));
  log.add(appendOf(chain.add(...large)));
  t.same(news.look(), {});
  log.add(appendOf(chain.open(2, [opened])));
  t.same(news.look(), {});
});
