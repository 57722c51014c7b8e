import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { SignedHead } from '@sparc/protocol/ledger';
import {
  ANNOUNCE_ALL_MS,
  ANNOUNCE_OTHERS_PAUSE_MS,
  ANNOUNCE_PAUSE_MS,
  FETCH_BYTES_MIN,
  FETCH_RETRY_PAUSE_MS,
  FETCH_SILENCE_MAX_MS,
  FETCHES_FROM_ONE_MAX,
  FETCHES_MAX,
  holds,
  nextDeadlineMs,
  nothingHeld,
  PUSH_PATIENCE_MS,
  PUSHED_BATCHES_MAX,
  PUSHED_BYTES_MAX,
  step,
  tipsByAuthor,
  type AuthorLog,
  type ReplicationEffect,
  type ReplicationInput,
  type ReplicationState,
} from '@sparc/protocol/replication';
import { checkProperty } from '../../support/property.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const opened = { name: 'door.opened', doorId: 'front' };
const keyOf = (number: number) => Buffer.from(testSigner(number).publicKey).toString('hex');
const SELF = keyOf(1);
const AUTHORITY_NUMBER = 100;
const AUTHORITY = keyOf(AUTHORITY_NUMBER);

/** The machine with a clock. */
class Machine {
  state: ReplicationState = nothingHeld(SELF, AUTHORITY);
  nowMs = 0;

  input(...inputs: readonly ReplicationInput[]): readonly ReplicationEffect[] {
    const { state, effects } = step(this.state, this.nowMs, ...inputs);
    this.state = state;
    return effects;
  }

  /** Time passes, and the machine is told whenever it asked to be. */
  pass(durationMs: number): ReplicationEffect[] {
    const endMs = this.nowMs + durationMs;
    const effects: ReplicationEffect[] = [];
    for (let wakes = 0; ; wakes++) {
      const dueMs = nextDeadlineMs(this.state, this.nowMs);
      if (dueMs > endMs) break;
      if (wakes > 1_000) throw new Error('it never sleeps');
      this.nowMs = Math.max(this.nowMs, dueMs);
      effects.push(...this.input({ kind: 'time' }));
    }
    this.nowMs = endMs;
    return effects;
  }

  announces(neighbour: number, ...tips: SignedHead[]): readonly ReplicationEffect[] {
    return this.input({ kind: 'heads', neighbour: keyOf(neighbour), tips: tipsByAuthor(tips), complete: false });
  }
}

function machine(...neighbours: number[]): Machine {
  const made = new Machine();
  made.input({ kind: 'time' });
  for (const neighbour of neighbours) made.input({ kind: 'connected', neighbour: keyOf(neighbour) });
  made.pass(2 * ANNOUNCE_OTHERS_PAUSE_MS);
  return made;
}

const log = (...heads: readonly SignedHead[]): AuthorLog => heads.map((head) => ({ head }));
const headOf = (number: number): SignedHead => new TestChain(testSigner(number)).open(1, [opened]).head;
const fetches = (effects: readonly ReplicationEffect[]) =>
  effects.flatMap((effect) => (effect.kind === 'fetch' ? [[effect.neighbour, effect.author]] : []));
const sent = (effects: readonly ReplicationEffect[]) =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect] : []));

t.test('a neighbour is told all tips when it comes, and again from time to time', async (t) => {
  const made = machine(2);
  made.input({ kind: 'stored', author: SELF, log: log(headOf(1)) });
  made.pass(ANNOUNCE_PAUSE_MS);
  t.match(sent(made.input({ kind: 'connected', neighbour: keyOf(3) })), [
    { neighbour: keyOf(3), heads: { complete: true, tips: [headOf(1)] } },
  ]);
  made.pass(ANNOUNCE_OTHERS_PAUSE_MS);
  const later = sent(made.pass(ANNOUNCE_ALL_MS));
  t.match(later, [{ heads: { complete: true } }, { heads: { complete: true } }]);
});

t.test('the first change is told at once, those that follow closely together', async (t) => {
  const made = machine(2);
  const chain = new TestChain();
  const commits = [chain.open(1, [opened]), chain.add(opened), chain.add(opened)];
  const told = commits.map((commit, index) => {
    const [batch] = batchesOf(commits.slice(0, index + 1)).slice(-1);
    return sent(made.input({ kind: 'stored', author: SELF, log: log(commit.head), pushed: batch ? [batch] : [] }));
  });
  t.same(
    told.map(({ length }) => length),
    [1, 0, 0],
  );
  const [together, ...more] = sent(made.pass(ANNOUNCE_PAUSE_MS));
  t.match(together, { heads: { tips: [{ sequence: 4 }], pushed: { length: 2 } } });
  t.equal(more.length, 0);
});

t.test('what was taken of others is told less often, or together with own news', async (t) => {
  const made = machine(2);
  const chain = new TestChain(testSigner(3));
  const store = () => sent(made.input({ kind: 'stored', author: keyOf(3), log: log(chain.add(opened).head) }));
  chain.open(1);
  made.pass(ANNOUNCE_OTHERS_PAUSE_MS);
  t.equal(store().length, 1, 'the first at once');
  store();
  t.equal(sent(made.pass(ANNOUNCE_OTHERS_PAUSE_MS - 1)).length, 0);
  t.equal(sent(made.pass(1)).length, 1);
  store();
  made.input({ kind: 'stored', author: SELF, log: log(headOf(1)) });
  t.match(sent(made.pass(ANNOUNCE_PAUSE_MS)), [{ heads: { tips: { length: 2 } } }]);
});

t.test('who is ahead is known at any time, whatever comes in which order', async (t) => {
  const chains = [1, 2, 3].map((author) => {
    const chain = new TestChain(testSigner(author));
    return [chain.open(1), chain.add(opened), chain.add(opened)].map(({ head }) => head);
  });
  const author = fc.constantFrom(0, 1, 2);
  const length = fc.constantFrom(0, 1, 2);
  const neighbour = fc.constantFrom(2, 3, 4).map(keyOf);
  const input: fc.Arbitrary<ReplicationInput> = fc.oneof(
    fc.record({ kind: fc.constant('connected'), neighbour }),
    fc.record({ kind: fc.constant('disconnected'), neighbour }),
    fc
      .tuple(neighbour, fc.dictionary(fc.constantFrom('0', '1', '2'), length), fc.boolean())
      .map(([neighbour, said, complete]): ReplicationInput => {
        const tips = Object.entries(said).flatMap(([author, length]) => chains[Number(author)]?.[length] ?? []);
        return { kind: 'heads', neighbour, tips: tipsByAuthor(tips), complete };
      }),
    fc.tuple(author, length).map(([author, length]): ReplicationInput => {
      const head = chains[author]?.[length] as SignedHead;
      return { kind: 'stored', author: keyOf(author + 1), log: log(head) };
    }),
  );
  checkProperty(
    fc.property(fc.array(input, { maxLength: 30 }), (inputs) => {
      const made = machine();
      for (const each of inputs) made.input(each);
      const { neighbours, logs, ahead } = made.state;
      const found = [...ahead].flatMap(([author, others]) => [...others].map((other) => `${author} ${other}`));
      const wanted = [...neighbours].flatMap(([other, { tips }]) =>
        [...tips].flatMap(([author, said]) =>
          said.some((tip) => !holds(logs.get(author) ?? [], tip)) ? [`${author} ${other}`] : [],
        ),
      );
      assert.deepEqual(found.sort(), wanted.sort());
    }),
    300,
  );
  t.pass();
});

t.test('more than a little is announced and not pushed', async (t) => {
  const made = machine(2);
  const note = 'x'.repeat(1_000);
  const chain = new TestChain();
  const commit = chain.open(
    1,
    Array.from({ length: PUSHED_BYTES_MAX / 1_000 + 1 }, () => ({ ...opened, detail: { note } })),
  );
  const [batch] = batchesOf([commit]);
  const [message] = sent(
    made.input({ kind: 'stored', author: SELF, log: log(commit.head), pushed: batch ? [batch] : [] }),
  );
  t.match(message, { heads: { tips: [{ sequence: commit.head.sequence }], pushed: { length: 0 } } });
});

/** What each neighbour is pushed, by author and sequence of the last entry. */
const pushedTo = (effects: readonly ReplicationEffect[]) =>
  Object.fromEntries(
    sent(effects)
      .filter(({ heads }) => heads.pushed.length > 0)
      .map(({ neighbour, heads }) => [neighbour, heads.pushed.map(({ contents }) => contents.length)]),
  );

t.test('what was pushed here is pushed to whoever is not known to have it or to get it from its author', async (t) => {
  const [author, from, told, hearing, lacking] = [2, 3, 4, 5, 6] as const;
  const made = machine(author, from, told, hearing, lacking);
  const chain = new TestChain(testSigner(author));
  const commit = chain.open(1, [opened]);
  const pushed = batchesOf([commit]);
  const stored = { kind: 'stored', author: keyOf(author), log: log(commit.head), pushed } as const;
  const heads = { kind: 'heads', complete: false, tips: new Map() } as const;
  made.input({ ...heads, neighbour: keyOf(hearing), neighbours: [SELF, keyOf(author)] });
  const effects = made.input(
    stored,
    { ...heads, neighbour: keyOf(from), pushed },
    { ...heads, neighbour: keyOf(told), tips: tipsByAuthor([commit.head]) },
  );
  t.strictSame(pushedTo(effects), { [keyOf(lacking)]: [2] });
  t.match(
    sent(effects).map(({ heads: { tips } }) => tips),
    Array(5).fill([commit.head]),
    'all are told',
  );
  t.strictSame(pushedTo(made.pass(ANNOUNCE_ALL_MS)), {}, 'and it is pushed once');
  made.input({ ...heads, neighbour: keyOf(hearing), neighbours: [SELF] });
  const next = chain.add(opened);
  const more = made.input({ ...stored, log: log(next.head), pushed: batchesOf([commit, next]).slice(1) });
  t.strictSame(Object.keys(pushedTo(more)).sort(), [from, told, hearing, lacking].map(keyOf).sort());
});

t.test(
  'what follows closely is pushed on together, sooner than it is announced, and to nobody who pushed it since',
  async (t) => {
    const made = machine(2, 3, 4);
    const chains = [20, 21, 22].map((number) => new TestChain(testSigner(number)));
    const store = (chain: TestChain) => {
      const commit = chain.open(1, [opened]);
      const author = Buffer.from(commit.head.author).toString('hex');
      const pushed = batchesOf([commit]);
      return { effects: made.input({ kind: 'stored', author, log: log(commit.head), pushed }), pushed };
    };
    const [first, second, third] = chains.map(store);
    t.equal(Object.keys(pushedTo(first?.effects ?? [])).length, 3, 'the first at once');
    t.strictSame(
      [second, third].map((each) => each?.effects),
      [[], []],
    );
    made.input({ kind: 'heads', neighbour: keyOf(2), tips: new Map(), complete: false, pushed: second?.pushed ?? [] });
    const effects = made.pass(ANNOUNCE_PAUSE_MS);
    t.strictSame(pushedTo(effects), { [keyOf(2)]: [2], [keyOf(3)]: [2, 2], [keyOf(4)]: [2, 2] });
    t.ok(sent(effects).every(({ heads: { tips } }) => tips.length === 0));
    t.match(sent(made.pass(ANNOUNCE_OTHERS_PAUSE_MS)), Array(3).fill({ heads: { tips: { length: 2 }, pushed: [] } }));
  },
);

t.test('who writes much, or many batches, is pushed less of, and others are pushed behind it', async (t) => {
  const [loud, calm] = [20, 21] as const;
  const writes = (made: Machine, number: number, ...sizesBytes: number[]) => {
    const chain = new TestChain(testSigner(number));
    const before = chain.open(1);
    const commits = sizesBytes.map((sizeBytes) => chain.addBody('note', new Uint8Array(sizeBytes)));
    return made.input({
      kind: 'stored',
      author: keyOf(number),
      log: log(...commits.slice(-1).map(({ head }) => head)),
      pushed: batchesOf([before, ...commits]).slice(1),
    });
  };
  const pushedBy = (number: number, effects: readonly ReplicationEffect[]) =>
    sent(effects).flatMap(({ heads: { pushed } }) =>
      pushed.filter(({ author }) => Buffer.from(author).toString('hex') === keyOf(number)),
    ).length;
  const flood = Array.from({ length: PUSHED_BATCHES_MAX }, () => 1);
  const cases: [string, number[], number][] = [
    ['one that is too large', [PUSHED_BYTES_MAX], 0],
    ['one that takes nearly all', [PUSHED_BYTES_MAX - 100], 0],
    ['what follows on one that is too large', [1, PUSHED_BYTES_MAX, 1], 1],
    ['as many as fit', flood, PUSHED_BATCHES_MAX - 1],
  ];
  for (const [what, sizesBytes, loudCount] of cases) {
    const made = machine(2);
    writes(made, 30, 1);
    writes(made, loud, ...sizesBytes);
    writes(made, calm, 100);
    const effects = made.pass(ANNOUNCE_PAUSE_MS);
    t.strictSame([pushedBy(loud, effects), pushedBy(calm, effects)], [loudCount, 1], what);
  }
});

t.test('neighbours are told who the others are, when that changes and with all tips', async (t) => {
  const made = machine(2, 3);
  const told = (effects: readonly ReplicationEffect[]) => sent(effects).map(({ heads: { neighbours } }) => neighbours);
  const all = [2, 3, 4].map(keyOf);
  t.strictSame(told(made.input({ kind: 'connected', neighbour: keyOf(4) }))[0], all);
  t.strictSame(told(made.pass(ANNOUNCE_OTHERS_PAUSE_MS)), [], 'at once');
  const others = [keyOf(2), keyOf(4)];
  t.strictSame(told(made.input({ kind: 'disconnected', neighbour: keyOf(3) })), [others, others]);
  made.input({ kind: 'stored', author: SELF, log: log(headOf(1)) });
  t.strictSame(told(made.pass(ANNOUNCE_PAUSE_MS)), [[], []], 'not where it did not change');
  t.strictSame(told(made.pass(ANNOUNCE_ALL_MS)), [others, others]);
});

t.test('what is missing is asked for once, of the author where it is a neighbour', async (t) => {
  const made = machine(2, 3);
  const head = headOf(2);
  t.same(fetches(made.announces(2, head)), [[keyOf(2), keyOf(2)]]);
  t.same(fetches(made.announces(3, head)), [], 'it is on its way');
  made.input({ kind: 'stored', author: keyOf(2), log: log(head) });
  t.same(fetches(made.input({ kind: 'fetched', neighbour: keyOf(2), author: keyOf(2) })), []);
});

t.test('what another neighbour has sooner than its author pushes it is waited for, not for long', async (t) => {
  const made = machine(2, 3);
  const chain = new TestChain(testSigner(2));
  const first = chain.open(1, [opened]).head;
  made.input({ kind: 'stored', author: keyOf(2), log: log(first) });
  made.announces(2, first);
  const next = chain.add(opened).head;
  t.same(fetches(made.announces(3, next)), []);
  t.same(fetches(made.pass(PUSH_PATIENCE_MS - 1)), []);
  t.same(fetches(made.pass(1)), [[keyOf(3), keyOf(2)]]);
  const stranger = machine(3);
  t.same(fetches(stranger.announces(3, next)), [[keyOf(3), keyOf(2)]], 'an author who is no neighbour does not push');
});

t.test('the own log is not asked for as it is held, and one neighbour is asked for few logs at a time', async (t) => {
  const made = machine(9);
  made.input({ kind: 'stored', author: SELF, log: [{ head: headOf(1) }] });
  const effects = made.announces(9, headOf(1), ...[2, 3, 4, 5].map(headOf));
  t.equal(fetches(effects).length, FETCHES_FROM_ONE_MAX);
  t.notOk(fetches(effects).some(([, author]) => author === SELF));
});

t.test('a fetch that falls silent is given up, and another neighbour is asked', async (t) => {
  const made = machine(3, 4);
  const head = headOf(2);
  made.announces(3, head);
  made.announces(4, head);
  made.pass(FETCH_SILENCE_MAX_MS - 1);
  made.input({ kind: 'progress', author: keyOf(2), sizeBytes: FETCH_BYTES_MIN });
  t.same(
    made.pass(FETCH_SILENCE_MAX_MS - 1).filter(({ kind }) => kind !== 'send'),
    [],
  );
  const effects = made.pass(1);
  const [other] = fetches(effects);
  t.match(
    effects.filter(({ kind }) => kind === 'giveUp'),
    [{ neighbour: keyOf(3) }],
  );
  t.equal(other?.[0], keyOf(4));
  t.same(fetches(made.input({ kind: 'disconnected', neighbour: keyOf(4) })), [], 'the silent one is not asked yet');
  t.same(fetches(made.pass(FETCH_RETRY_PAUSE_MS.first)), [[keyOf(3), keyOf(2)]]);
});

t.test('a neighbour that never brings what it announced is asked more and more seldom', async (t) => {
  const made = machine(3);
  made.announces(3, headOf(2));
  const pauses: number[] = [];
  for (let round = 0; round < 7; round++) {
    made.input({ kind: 'fetched', neighbour: keyOf(3), author: keyOf(2) });
    const startMs = made.nowMs;
    while (fetches(made.pass(1_000)).length === 0) if (made.nowMs > startMs + 100_000) throw new Error('never again');
    pauses.push(made.nowMs - startMs);
  }
  t.same(pauses, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
});

/** Two neighbours that have the same log, of which the first one was asked. */
function asked() {
  const made = machine(3, 4);
  const head = headOf(2);
  made.announces(3, head);
  made.announces(4, head);
  /** The one that was asked brings so much every 9 s, for a minute; whom else is asked. */
  const brings = (sizeBytes: number) =>
    Array.from({ length: 7 }, () => {
      const effects = made.pass(9_000);
      made.input({ kind: 'progress', author: keyOf(2), sizeBytes });
      return fetches(effects);
    }).flat();
  return { made, head, brings };
}

t.test('a fetch that drips is given up for another neighbour that is ahead, too, and for no other', async (t) => {
  const drop = asked();
  const [[other] = []] = drop.brings(200);
  t.equal(other, keyOf(4));
  t.equal(drop.made.nowMs >= FETCH_SILENCE_MAX_MS, true);
  t.strictSame(asked().brings(FETCH_BYTES_MIN), [], 'whoever is slow and brings much goes on');
  const alone = asked();
  alone.made.input({ kind: 'disconnected', neighbour: keyOf(4) });
  t.strictSame(alone.brings(200), [], 'slow is better than nothing');
  const effects = alone.made.input({ kind: 'connected', neighbour: keyOf(5) });
  t.strictSame(fetches([...effects, ...alone.made.announces(5, alone.head), ...alone.made.pass(1)]), [
    [keyOf(5), keyOf(2)],
  ]);
});

t.test('what the authority says waits for no other log', async (t) => {
  const made = machine(9, 10);
  const others = Array.from({ length: FETCHES_MAX }, (_, index) => headOf(20 + index));
  for (const neighbour of [9, 10]) made.announces(neighbour, ...others);
  const [chain] = [new TestChain(testSigner(AUTHORITY_NUMBER))];
  t.strictSame(fetches(made.announces(9, chain.open(1, [opened]).head)), [[keyOf(9), AUTHORITY]]);
  const late = machine(9);
  const all = late.announces(9, ...others, chain.head as SignedHead);
  t.equal(fetches(all)[0]?.[1], AUTHORITY, 'it is the first');
  t.equal(fetches(all).length, 1 + FETCHES_FROM_ONE_MAX, 'and takes the place of none');
});
