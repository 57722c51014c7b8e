import fc from 'fast-check';
import t from 'tap';
import {
  DIRECTIVE_PAUSE_MS,
  DIRECTIVES_AT_ONCE_MAX,
  DIRECTIVES_HEARD_AT_ONCE_MAX,
  HeardPaces,
  OperatorPace,
  REVOCATIONS_AT_ONCE_MAX,
} from '@sparc/edge/directives';
import { OPERATORS_MAX, signDirective, type DirectiveContent, type SignedDirective } from '@sparc/protocol/directive';
import { checkProperty } from '../../support/property.js';
import { testSigner } from '../../support/test-signer.js';
import { AUTHORITY_SEED, carry, deskOf, keptStore, OPERATORS, settle } from './desk.js';

const [ADA, BOB] = OPERATORS;
const CARRIER = 'c'.repeat(64);

const AUTHORITY = { seed: AUTHORITY_SEED };
const DELEGATIONS = OPERATORS.map(({ key: operator }) => ({
  operator,
  name: operator.slice(0, 8),
  rights: ['mode' as const, 'order' as const, 'revoke' as const],
  scope: [],
  issuedUnixMs: 0,
  notAfterUnixMs: 80_000_000,
}));

type Giver = Pick<(typeof OPERATORS)[number], 'seed'>;

const given = (number: number) => ({ v: 1, site: 'site', issuedUnixMs: number, expiresUnixMs: 80_000_000 }) as const;
const sign = ({ seed }: Giver, content: DirectiveContent) => signDirective(testSigner(seed), content);
const raise = (by: Giver, number: number) => sign(by, { ...given(number), kind: 'raise', what: 'lockdown' });
const pulse = (by: Giver, number: number) =>
  sign(by, { ...given(number), kind: 'door', door: 'front', order: { kind: 'accessDoor' } });
const revoke = (by: Giver, number: number) =>
  sign(by, { ...given(number), kind: 'revoke', subject: 'credential', subjectId: `card-${number}` });

/** What one gateway carries. */
const ledgerOf = (count: number, of: (number: number) => SignedDirective, from = 0) =>
  Array.from({ length: count }, (_, number) =>
    carry(of(number), 1_000, { id: { author: CARRIER, epoch: 1, sequence: from + number + 1 } }),
  );

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

t.test('whatever an operator gave of one kind, a lockdown of theirs is taken', async (t) => {
  const { desk, clock, inForce } = deskOf();
  desk.believe(DELEGATIONS);
  const pulses = Array.from({ length: DIRECTIVES_AT_ONCE_MAX }, (_, number) => desk.direct(pulse(ADA, number)));
  await clock.advance(1);
  await Promise.all(pulses);
  for (let number = 0; number < REVOCATIONS_AT_ONCE_MAX; number += 1) await desk.direct(revoke(ADA, number));
  await t.rejects(desk.direct(pulse(ADA, 1_000)), { code: 'ERR_DIRECTIVE_TOO_FAST' });
  await t.rejects(desk.direct(revoke(ADA, 1_000)), { code: 'ERR_DIRECTIVE_TOO_FAST' });
  t.match(await desk.direct(raise(ADA, 0)), { outcome: 'applied' });
  t.equal(inForce.size, 1);
});

t.test('a clock that was far ahead keeps no operator from what their pace gives them', async (t) => {
  const stampedUnixMs = 40_000_000;
  const { desk, clock } = deskOf(undefined, undefined, {}, undefined, stampedUnixMs);
  desk.believe(DELEGATIONS);
  for (let number = 0; number < DIRECTIVES_AT_ONCE_MAX; number += 1) await desk.direct(raise(ADA, number));
  await clock.advance(DIRECTIVE_PAUSE_MS);
  t.match(await desk.direct(raise(ADA, DIRECTIVES_AT_ONCE_MAX)), { outcome: 'applied' });
});

t.test('nobody makes the authority of the site wait', async (t) => {
  const { desk, inForce, opened } = deskOf();
  for (let number = 0; number <= DIRECTIVES_AT_ONCE_MAX; number += 1) await desk.direct(raise(AUTHORITY, number));
  t.equal(inForce.size, DIRECTIVES_AT_ONCE_MAX + 1);
  const count = DIRECTIVES_HEARD_AT_ONCE_MAX + 1;
  for (const entry of ledgerOf(count, (number) => pulse(AUTHORITY, number))) desk.heard(entry);
  await settle();
  t.equal(opened.length, count);
});

t.test('of what one gateway carries others open no more than so many times, also after a restart', async (t) => {
  const ledger = ledgerOf(DIRECTIVES_HEARD_AT_ONCE_MAX + 20, (number) => pulse(ADA, number));
  const store = keptStore();
  const opened: string[] = [];
  for (let starts = 0; starts < 2; starts += 1) {
    const each = deskOf(store);
    each.desk.believe(DELEGATIONS);
    for (const told of [ledger, ledger]) for (const entry of told) each.desk.heard(entry);
    await settle();
    opened.push(...each.opened);
    t.equal(opened.length, DIRECTIVES_HEARD_AT_ONCE_MAX, 'told once more they are not counted twice');
  }
  const { desk, opened: anew } = deskOf();
  desk.believe(DELEGATIONS);
  for (const entry of ledger) desk.heard(entry);
  await settle();
  t.strictSame(anew, opened);
});

t.test('what restricts holds at every gateway that hears of it, however fast its carrier took it', async (t) => {
  const revoked = new Set<string>();
  const { desk, inForce, recorded } = deskOf(undefined, undefined, {
    revoke: ({ directive: { id } }) => {
      revoked.add(id);
      return 'applied';
    },
  });
  desk.believe(DELEGATIONS);
  const count = DIRECTIVES_HEARD_AT_ONCE_MAX + 100;
  for (const entry of ledgerOf(count, (number) => revoke(ADA, number))) desk.heard(entry);
  for (const entry of ledgerOf(count, (number) => raise(ADA, number), count)) desk.heard(entry);
  await settle();
  t.equal(revoked.size, count);
  t.equal(inForce.size, count);
  t.strictSame(recorded, []);
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
          .map(
            ({ id, operator, unixMs }) =>
              [`${id.author} ${id.sequence}`, paces.take(id, { operator, kind: 'door' }, unixMs)] as const,
          )
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
