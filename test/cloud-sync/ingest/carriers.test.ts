import t from 'tap';
import { Carriers, CARRIER_ENTRIES_MIN, CARRIER_SILENCE_MAX_MS } from '@sparc/cloud-sync/ingest';
import { HELLO_INTERVAL_MS } from '@sparc/protocol/cloud-link';
import { TestChain } from '../../support/test-chain.js';

/** One log, of which gateways say what its author has. */
function setUp() {
  const carriers = new Carriers();
  const { head } = new TestChain().open(1);
  const held = [{ head }];
  return {
    ask: (gateway: string, nowMs: number, isFirst = false) =>
      carriers.ask('log', gateway, { news: [head], held: [], isFirst, isAuthor: gateway === 'author' }, nowMs),
    bring: (gateway: string, count: number, nowMs: number) => carriers.brought('log', gateway, [], count, nowMs),
    isPassedOver: (gateway: string) => carriers.isPassedOver('log', gateway),
    askWhenStored: (gateway: string, nowMs: number) =>
      carriers.ask('log', gateway, { news: [head], held, isFirst: false, isAuthor: false }, nowMs),
  };
}

t.test('one gateway at a time is asked for a log, and another when it brought nothing', (t) => {
  const { ask, askWhenStored } = setUp();
  t.ok(ask('hall', 0));
  t.notOk(ask('gate', 1), 'that one is asked');
  t.notOk(ask('hall', 2));
  t.ok(ask('hall', 3, true), 'it has forgotten that');
  t.ok(ask('gate', 3 + CARRIER_SILENCE_MAX_MS));
  t.ok(askWhenStored('hall', 4 + CARRIER_SILENCE_MAX_MS), 'what was asked for is there');
  t.end();
});

t.test('a gateway that is the first in every round and brings nothing keeps no other from being asked', (t) => {
  const { ask } = setUp();
  const round = (count: number) => {
    const atMs = count * HELLO_INTERVAL_MS;
    return [ask('hall', atMs), ask('gate', atMs + 1_000)];
  };
  t.strictSame(round(0), [true, false]);
  t.strictSame(round(1), [false, true]);
  t.ok(ask('hall', 3 * HELLO_INTERVAL_MS), 'where the other says nothing any more, it is asked again');
  t.end();
});

t.test('a gateway that is alone is asked again in every round', (t) => {
  const { ask } = setUp();
  t.strictSame(
    [0, 1, 2].map((round) => ask('hall', round * HELLO_INTERVAL_MS)),
    [true, true, true],
  );
  t.end();
});

t.test('however often a gateway says that it forgot, the others have their turn', (t) => {
  for (const idle of ['hall', 'author']) {
    const { ask } = setUp();
    let askedAtMs: number | undefined;
    for (let atMs = 0; askedAtMs === undefined && atMs < 3 * HELLO_INTERVAL_MS; atMs += 500) {
      ask(idle, atMs, true);
      if (atMs % HELLO_INTERVAL_MS === 15_000 && ask('gate', atMs)) askedAtMs = atMs;
    }
    t.equal(askedAtMs, 15_000 + HELLO_INTERVAL_MS, idle);
  }
  t.end();
});

t.test('who brings one new entry now and then does not keep the turn, and who brings many does', (t) => {
  for (const [count, isKept] of [
    [1, false],
    [CARRIER_ENTRIES_MIN, true],
  ] as const) {
    const { ask, bring } = setUp();
    t.ok(ask('hall', 0));
    bring('hall', count, CARRIER_SILENCE_MAX_MS - 1_000);
    t.equal(ask('gate', CARRIER_SILENCE_MAX_MS + 1), !isKept, `${count}`);
  }
  t.end();
});

t.test('where the author comes with its own log, whoever was asked before it is passed over', (t) => {
  const { ask, isPassedOver } = setUp();
  t.ok(ask('hall', 0));
  t.notOk(isPassedOver('hall'));
  t.ok(ask('author', 1));
  t.ok(isPassedOver('hall'));
  t.notOk(isPassedOver('author'));
  t.end();
});
