import fc from 'fast-check';
import t from 'tap';
import {
  emptyKeeper,
  FALLBACK_REDIAL_MS,
  FIRST_FALLBACK_MS,
  FULL_MESH_MAX,
  GREETED_FOR_MS,
  neighboursOf,
  nextKeeperDeadlineMs,
  REDIAL_MS,
  REFUSED_FOR_MS,
  stepKeeper,
  type KeeperInput,
  type KeeperState,
} from '@sparc/edge/mesh';
import { MEMBERS_MAX } from '@sparc/protocol/roster';
import { checkProperty } from '../../support/property.js';

/** A keeper and its calls, as time passes. */
class Run {
  readonly calls: string[] = [];
  nowMs = 0;

  constructor(private state: KeeperState) {}

  take(input: KeeperInput): this {
    const { state, call } = stepKeeper(this.state, this.nowMs, input);
    this.state = state;
    for (const neighbour of call) this.calls.push(`${this.nowMs} ${neighbour}`);
    return this;
  }

  /** Calls are answered by nobody, at once. */
  failingUntil(untilMs: number): this {
    for (;;) {
      const [last = ''] = this.calls.slice(-1);
      const [, called = ''] = last.split(' ');
      if (called !== '') this.take({ kind: 'called', neighbour: called });
      const atMs = nextKeeperDeadlineMs(this.state);
      if (atMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, atMs);
      this.take({ kind: 'time' });
    }
    this.nowMs = untilMs;
    return this;
  }
}

const among = (self: string, ...members: string[]) =>
  new Run(emptyKeeper(self)).take({ kind: 'members', members: [self, ...members] });

t.test('the lower key calls at once and then every second', async (t) => {
  t.same(among('a', 'b').failingUntil(3 * REDIAL_MS).calls, ['0 b', '1000 b', '2000 b', '3000 b']);
});

t.test('the higher key calls soon after a start, and seldom from then on', async (t) => {
  const { calls } = among('b', 'a').failingUntil(20_000);
  t.same(
    calls,
    [0, 1, 2].map((turn) => `${FIRST_FALLBACK_MS + turn * FALLBACK_REDIAL_MS} a`),
  );
});

t.test('whoever is here is not called, and is called again when it is lost', async (t) => {
  const run = among('a', 'b');
  run.take({ kind: 'greeting', neighbour: 'b' }).take({ kind: 'called', neighbour: 'b' });
  run.take({ kind: 'connected', neighbour: 'b' }).failingUntil(60_000);
  t.same(run.calls, ['0 b']);
  run.take({ kind: 'disconnected', neighbour: 'b', refused: false }).failingUntil(62_500);
  t.same(run.calls, ['0 b', '61000 b', '62000 b']);
});

t.test('a call that is not answered yet is not made a second time, however long it takes', async (t) => {
  const run = among('a', 'b');
  run.nowMs = 60_000;
  run.take({ kind: 'time' });
  t.same(run.calls, ['0 b']);
});

t.test('whoever is being greeted is not called meanwhile', async (t) => {
  const run = among('b', 'a').take({ kind: 'greeting', neighbour: 'a' });
  run.failingUntil(GREETED_FOR_MS - 1);
  t.same(run.calls, []);
  run.failingUntil(GREETED_FOR_MS);
  t.same(run.calls, [`${GREETED_FOR_MS} a`], 'unless it never ends');
});

t.test('whoever was refused is left alone for half a minute', async (t) => {
  const run = among('a', 'b');
  run.take({ kind: 'called', neighbour: 'b' }).take({ kind: 'connected', neighbour: 'b' });
  run.take({ kind: 'disconnected', neighbour: 'b', refused: true }).failingUntil(REFUSED_FOR_MS);
  t.same(run.calls, ['0 b', `${REFUSED_FOR_MS} b`]);
});

t.test('whoever leaves the roster is called no more, and whoever is new is', async (t) => {
  const run = among('a', 'b').take({ kind: 'called', neighbour: 'b' });
  run.nowMs = 10;
  run.take({ kind: 'members', members: ['a', 'c'] }).failingUntil(2_000);
  t.same(run.calls, ['0 b', '10 c', '1010 c']);
});

t.test('links are wanted by both ends, and the mesh holds together whichever member is gone', async (t) => {
  const roster = fc
    .uniqueArray(fc.stringMatching(/^[0-9a-f]{8}$/), { minLength: 2, maxLength: MEMBERS_MAX, size: 'max' })
    .chain((members) => fc.record({ members: fc.constant(members), gone: fc.constantFrom(...members) }));
  checkProperty(
    fc.property(roster, ({ members, gone }) => {
      const wanted = new Map(members.map((self) => [self, neighboursOf(self, members)]));
      for (const [self, others] of wanted) {
        for (const other of others) if (wanted.get(other)?.includes(self) !== true) return false;
        if (members.length <= FULL_MESH_MAX && others.length !== members.length - 1) return false;
        if (others.length > FULL_MESH_MAX || others.includes(self)) return false;
      }
      return reachedFrom(members.find((id) => id !== gone) ?? '', wanted, gone).size === members.length - 1;
    }),
  );
  t.pass();
});

function reachedFrom(first: string, wanted: ReadonlyMap<string, readonly string[]>, gone: string): Set<string> {
  const reached = new Set([first]);
  for (const id of reached) for (const other of wanted.get(id) ?? []) if (other !== gone) reached.add(other);
  return reached;
}
