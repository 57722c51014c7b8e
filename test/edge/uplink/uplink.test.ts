import t from 'tap';
import { Hello, HELLO_INTERVAL_MS, HELLO_PAUSE_MS, signAcknowledgement, Wants } from '@sparc/protocol/cloud-link';
import type { Down, Up } from '@sparc/protocol/cloud-link';
import { decodeBatch, pureCrypto, type SignedHead } from '@sparc/protocol/ledger';
import type { CloudLink, CloudLinkHandlers, LogCommit } from '@sparc/protocol/ports';
import { toHex } from '@sparc/edge/platform';
import { Uplink } from '@sparc/edge/uplink';
import { appendOf, SimulatedLog } from '@sparc/simulator/mesh';
import { VirtualClock } from '@sparc/simulator/world';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const opened = { name: 'door.opened', doorId: 'front' };
const cloudSigner = testSigner(7);
const CREDIT_BYTES = 1_048_576;

class MemoryLink implements CloudLink {
  handlers: CloudLinkHandlers | undefined;
  readonly #sent: { readonly what: Up; readonly body: Uint8Array }[] = [];

  start(handlers: CloudLinkHandlers): void {
    this.handlers = handlers;
  }

  send(what: Up, body: Uint8Array): void {
    this.#sent.push({ what, body });
  }

  async stop(): Promise<void> {
    this.handlers = undefined;
  }

  /** What was said since the last look. */
  said(): string[] {
    return this.#sent.splice(0).map(({ what, body }) => (what === 'hello' ? helloText(body) : batchText(body)));
  }
}

const place = ({ epoch, sequence }: SignedHead) => `${epoch.counter}/${sequence}`;
function helloText(body: Uint8Array): string {
  const { tips, isFirst } = Hello.decode(body);
  return [isFirst ? 'first' : 'again', ...tips.map(place)].join(' ');
}
function batchText(body: Uint8Array): string {
  const { author, epoch, firstSequence, contents } = decodeBatch(body);
  return `${author[0]}: ${epoch.counter}/${firstSequence}-${firstSequence + contents.length - 1}`;
}

/** A gateway with the logs of these authors. */
function setUp(...chains: readonly TestChain[]) {
  const clock = new VirtualClock();
  const link = new MemoryLink();
  const logs = new Map<string, SimulatedLog>();
  const failures: string[] = [];
  const words: Uint8Array[] = [];
  const uplink = new Uplink({
    clock,
    verify: pureCrypto.verify,
    link,
    logs: {
      logs: () => new Map([...logs].map(([author, { log }]) => [author, log])),
      batchAfter: (author, after) => logs.get(author)?.batchAfter(after),
    },
    siteId: 'harbour',
    signer: testSigner(1),
    take: () => undefined,
    onWord: (word) => words.push(word),
    direct: () => Promise.reject(new Error('nothing is directed')),
    tryOut: () => Promise.reject(new Error('nothing is tried')),
    cloudKey: cloudSigner.publicKey,
    onTurn: () => undefined,
    onFailure: (_error, what) => failures.push(what),
  });
  uplink.start();
  const hear = (what: Down, body: Uint8Array) => link.handlers?.onMessage(what, body);
  return {
    clock,
    link,
    uplink,
    failures,
    words,
    hear,
    append: (chain: TestChain, ...commits: readonly LogCommit[]) => {
      const author = toHex(chain.signer.publicKey);
      const log = logs.get(author) ?? new SimulatedLog();
      logs.set(author, log);
      for (const commit of commits) log.add(appendOf(commit));
    },
    connect: () => link.handlers?.onConnected(),
    want: (creditBytes = CREDIT_BYTES) =>
      hear(
        'want',
        Wants.encode({
          logs: chains.map(({ signer }) => ({ site: 'harbour', author: signer.publicKey, ends: [] })),
          creditBytes,
        }),
      ),
    acknowledge: (head: SignedHead | undefined, by = cloudSigner, complete = false) =>
      hear(
        'ack',
        signAcknowledgement(by, {
          site: 'harbour',
          issuedUnixMs: clock.wall().unixMs,
          complete,
          heads: head === undefined ? [] : [head],
        }),
      ),
    copies: (chain: TestChain) =>
      uplink.copiesOf(toHex(chain.signer.publicKey)).map(({ epoch, sequence }) => `${epoch.counter}/${sequence}`),
  };
}

t.test('heads are said on a new link, every 30 s, and within a second of growth, once for all', async (t) => {
  const chain = new TestChain();
  const { clock, link, uplink, append, connect } = setUp(chain);
  append(chain, chain.open(1));
  uplink.grew();
  t.strictSame(link.said(), [], 'nothing without a link');
  connect();
  t.strictSame(link.said(), ['first 1/1']);
  await clock.advance(HELLO_INTERVAL_MS);
  t.strictSame(link.said(), ['again 1/1']);
  for (let count = 0; count < 5; count += 1) {
    append(chain, chain.add(opened));
    uplink.grew();
  }
  await clock.advance(HELLO_PAUSE_MS);
  t.strictSame(link.said(), ['again 1/6']);
});

t.test('of one author the next batch goes when the last is acknowledged, and all epochs in order', async (t) => {
  const chain = new TestChain();
  const { link, append, connect, want, acknowledge, copies } = setUp(chain);
  append(chain, chain.open(1, [opened]));
  const first = chain.head;
  append(chain, chain.open(2, [opened, opened]));
  connect();
  link.said();
  want();
  const [author] = chain.signer.publicKey;
  t.strictSame(link.said(), [`${author}: 1/1-2`]);
  acknowledge(first);
  t.strictSame(link.said(), [`${author}: 2/1-3`]);
  acknowledge(chain.head);
  t.strictSame([link.said(), copies(chain)], [[], ['1/2', '2/3']]);
});

t.test('several authors go at once, as far as the credit of the cloud goes', async (t) => {
  const chains = [1, 2, 3].map((seed) => new TestChain(testSigner(seed)));
  const { link, append, connect, want, acknowledge } = setUp(...chains);
  for (const chain of chains) append(chain, chain.open(1, [opened]));
  connect();
  link.said();
  want(1);
  t.equal(link.said().length, 1, 'one may always be under way');
  want();
  t.equal(link.said().length, 3);
  acknowledge(chains[0]?.head);
  t.strictSame(link.said(), []);
});

t.test('what is not acknowledged is given up after 30 s, and what was asked for ends with its link', async (t) => {
  const [stuck, other] = [new TestChain(testSigner(1)), new TestChain(testSigner(2))];
  const { clock, link, append, connect, want } = setUp(stuck, other);
  for (const chain of [stuck, other]) append(chain, chain.open(1));
  connect();
  want(1);
  const nameOf = ({ signer }: TestChain) => String(signer.publicKey[0]);
  t.strictSame(link.said(), ['first 1/1 1/1', `${nameOf(stuck)}: 1/1-1`]);
  await clock.advance(HELLO_INTERVAL_MS);
  t.strictSame(link.said(), ['again 1/1 1/1', `${nameOf(other)}: 1/1-1`], 'it keeps no other author waiting');
  link.handlers?.onDisconnected('the cable');
  connect();
  t.strictSame(link.said(), ['first 1/1 1/1']);
});

t.test('an acknowledgement that the cloud did not sign counts for nothing, and is counted', async (t) => {
  const chain = new TestChain();
  const { link, uplink, failures, append, connect, want, acknowledge, hear, copies } = setUp(chain);
  append(chain, chain.open(1), chain.open(2));
  connect();
  want();
  link.said();
  acknowledge(chain.head, testSigner(8));
  hear('ack', Uint8Array.of(1, 2, 3));
  t.match(uplink.state, { refusedCount: 2, refusedCode: 'ERR_LINK_ACKNOWLEDGEMENT_INVALID' });
  hear('want', Uint8Array.of(255));
  link.handlers?.onDisconnected('the cable');
  t.strictSame([copies(chain), link.said(), failures], [[], [], []]);
  t.match(uplink.state, { refusedCount: 3, refusedCode: 'ERR_LEDGER_MALFORMED', acknowledgedUnixMs: undefined });
});

t.test('a cloud that was restored holds what it says now, not what it said before', async (t) => {
  const chain = new TestChain();
  const { clock, append, connect, acknowledge, copies, hear } = setUp(chain);
  append(chain, chain.open(1));
  const first = chain.head;
  append(chain, chain.add(opened));
  connect();
  acknowledge(chain.head);
  const old = signAcknowledgement(cloudSigner, {
    site: 'harbour',
    issuedUnixMs: clock.wall().unixMs,
    complete: true,
    heads: chain.head === undefined ? [] : [chain.head],
  });
  t.strictSame(copies(chain), ['1/2']);
  await clock.advance(1_000);
  acknowledge(first, cloudSigner, true);
  t.strictSame(copies(chain), ['1/1']);
  hear('ack', old);
  t.strictSame(copies(chain), ['1/1'], 'and an old word that is said again changes nothing');
});

t.test(
  'what the cloud signs to have of all logs is handed on as it signed it, but no word that is older than the last',
  async (t) => {
    const chain = new TestChain();
    const { clock, append, acknowledge, connect, hear, words } = setUp(chain);
    const { head } = chain.open(1);
    append(chain, chain.add(opened));
    connect();
    acknowledge(head);
    t.same(words, [], 'this was not of all logs');
    const [later, earlier] = [2_000, 1_000].map((ms) =>
      signAcknowledgement(cloudSigner, {
        site: 'harbour',
        issuedUnixMs: clock.wall().unixMs + ms,
        complete: true,
        heads: [head],
      }),
    ) as [Uint8Array, Uint8Array];
    hear('ack', later);
    hear('ack', earlier);
    acknowledge(head, testSigner(98), true);
    t.strictSame(words, [later]);
  },
);
