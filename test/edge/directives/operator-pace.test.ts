import fc from 'fast-check';
import t from 'tap';
import {
  DIRECTIVE_PAUSE_MS,
  DIRECTIVES_AT_ONCE_MAX,
  DIRECTIVES_HEARD_AT_ONCE_MAX,
  HeardPaces,
  OperatorPace,
} from '@sparc/edge/directives';
import { OPERATORS_MAX, signDirective, type DirectiveContent } from '@sparc/protocol/directive';
import { checkProperty } from '../../support/property.js';
import { testSigner } from '../../support/test-signer.js';
import { carry, deskOf, keptStore, OPERATORS, settle } from './desk.js';

const [ADA, BOB] = OPERATORS;
const CARRIER = 'c'.repeat(64);

const mayRaise = ({ key: operator }: (typeof OPERATORS)[number]) => ({
  operator,
  name: operator.slice(0, 8),
  rights: ['mode' as const],
  scope: [],
  issuedUnixMs: 0,
  notAfterUnixMs: 80_000_000,
});
const DELEGATIONS = OPERATORS.map(mayRaise);

const raise = ({ seed }: (typeof OPERATORS)[number], number: number) => {
  const content: DirectiveContent = {
    v: 1,
    site: 'site',
    issuedUnixMs: number,
    expiresUnixMs: 80_000_000,
    kind: 'raise',
    what: 'lockdown',
  };
  return signDirective(testSigner(seed), content);
};

t.test(
  'an operator gives so many directives at once, then one in each pause, and keeps no other from it',
  async (t) => {
    const { desk, clock, inForce, recorded } = deskOf();
    desk.believe(DELEGATIONS);
    for (let number = 0; number < DIRECTIVES_AT_ONCE_MAX; number += 1) await desk.direct(raise(ADA, number));
    const next = raise(ADA, DIRECTIVES_AT_ONCE_MAX);
    for (let tries = 0; tries < 100; tries += 1) await t.rejects(desk.direct(next), { code: 'ERR_DIRECTIVE_TOO_FAST' });
    await desk.direct(raise(BOB, 0));
    t.equal(inForce.size, DIRECTIVES_AT_ONCE_MAX + 1);
    t.equal(recorded.filter(({ name }) => name === 'directive.refused').length, 1);
    await clock.advance(DIRECTIVE_PAUSE_MS);
    await desk.direct(next);
    await t.rejects(desk.direct(raise(ADA, 1_000)), { code: 'ERR_DIRECTIVE_TOO_FAST' });
    t.equal(inForce.size, DIRECTIVES_AT_ONCE_MAX + 2);
  },
);

t.test('of what one gateway carries all others leave out the same, also after a restart', async (t) => {
  const count = DIRECTIVES_HEARD_AT_ONCE_MAX + 20;
  const ledger = Array.from({ length: count }, (_, number) =>
    carry(raise(ADA, number), 1_000, { id: { author: CARRIER, epoch: 1, sequence: number + 1 } }),
  );
  const store = keptStore();
  const inForce = new Set<string>();
  for (const { desk } of [deskOf(store, undefined, {}, inForce), deskOf(store, undefined, {}, inForce)]) {
    desk.believe(DELEGATIONS);
    for (const told of [ledger, ledger]) for (const entry of told) desk.heard(entry);
    await settle();
    t.equal(inForce.size, DIRECTIVES_HEARD_AT_ONCE_MAX, 'told once more they are not counted twice');
  }
  const { desk, inForce: anew } = deskOf();
  desk.believe(DELEGATIONS);
  for (const entry of ledger) desk.heard(entry);
  t.strictSame([...anew], [...inForce]);
});

t.test('what is carried counts by its own ledger alone, in whatever order ledgers are read', (t) => {
  const ledger = fc.array(fc.record({ operator: fc.constantFrom('a', 'b'), afterMs: fc.nat(DIRECTIVE_PAUSE_MS) }), {
    minLength: DIRECTIVES_HEARD_AT_ONCE_MAX,
    maxLength: 2 * DIRECTIVES_HEARD_AT_ONCE_MAX,
  });
  checkProperty(
    fc.property(ledger, ledger, fc.infiniteStream(fc.boolean()), (first, second, turns) => {
      const entries = [first, second].map((said, author) => {
        let unixMs = 0;
        return said.map(({ operator, afterMs }, index) => {
          unixMs += afterMs;
          return { id: { author: String(author), epoch: 1, sequence: index + 1 }, operator, unixMs };
        });
      });
      const verdicts = (order: readonly (typeof entries)[number][]) => {
        const paces = new HeardPaces();
        return order
          .flat()
          .map(({ id, operator, unixMs }) => [`${id.author} ${id.sequence}`, paces.take(id, operator, unixMs)] as const)
          .sort(([a], [b]) => (a < b ? -1 : 1));
      };
      const [one = [], two = []] = entries;
      const rest = [[...one], [...two]];
      const mixed = Array.from({ length: one.length + two.length }, () => {
        const at = Number(turns.next().value);
        const next = rest[at]?.shift() ?? rest[1 - at]?.shift();
        return next === undefined ? [] : [next];
      });
      return JSON.stringify(verdicts(mixed)) === JSON.stringify(verdicts([two, one]));
    }),
    20,
  );
  t.pass();
  t.end();
});

t.test('who makes keys without end fills what one ledger is counted by, and it empties by itself', async (t) => {
  const pace = new OperatorPace(2);
  for (let key = 0; key < OPERATORS_MAX; key += 1) t.ok(pace.take(String(key), 0));
  t.notOk(pace.take('one more', 0));
  t.ok(pace.take('0', 0), 'whoever is counted has what is left');
  t.ok(pace.take('one more', DIRECTIVE_PAUSE_MS));
});
