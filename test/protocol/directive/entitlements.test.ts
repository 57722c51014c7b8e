import t from 'tap';
import fc from 'fast-check';
import {
  AUTHORITY_NAME,
  Entitlements,
  OPERATORS_MAX,
  isWithin,
  rightOf,
  type Directive,
  type Verdict,
} from '@sparc/protocol/directive';
import type { Delegation } from '@sparc/protocol/roster';
import { checkProperty } from '../../support/property.js';

const AUTHORITY = 'aa'.repeat(32);
const OPERATOR = 'bb'.repeat(32);
const every = (issuedUnixMs: number) =>
  ({ v: 1, id: '0f'.repeat(16), site: 'site', issuedUnixMs, expiresUnixMs: issuedUnixMs + 60_000 }) as const;
const raise = (issuedUnixMs = 0, scope?: string[]): Directive => ({
  ...every(issuedUnixMs),
  kind: 'raise',
  what: 'lockdown',
  ...(scope && { scope }),
});
const delegation = (issuedUnixMs: number, more: Partial<Delegation> = {}): Delegation => ({
  operator: OPERATOR,
  name: 'Ada',
  rights: ['mode'],
  scope: [],
  issuedUnixMs,
  notAfterUnixMs: 1_000,
  ...more,
});

function judged(delegations: readonly Delegation[], directive: Directive, atUnixMs: number): Verdict {
  const entitlements = new Entitlements(AUTHORITY);
  for (const each of delegations) entitlements.take(each);
  return entitlements.judge(OPERATOR, directive, atUnixMs);
}
const isGiven = (...given: Parameters<typeof judged>) => judged(...given).isEntitled;

t.test('the authority may direct everything, and of whom it never spoke nothing is known', async (t) => {
  const entitlements = new Entitlements(AUTHORITY);
  t.strictSame(entitlements.judge(AUTHORITY, raise(), 5), { isEntitled: true, name: AUTHORITY_NAME });
  const unknown = { isEntitled: false, code: 'ERR_DIRECTIVE_OPERATOR_UNKNOWN' };
  t.strictSame(entitlements.judge(OPERATOR, raise(), 5), unknown);
});

t.test('a right counts until it ends, and what was directed before it was taken back stays', async (t) => {
  const given = delegation(100, { notAfterUnixMs: 200 });
  t.ok(isGiven([given], raise(), 200));
  t.notOk(isGiven([given], raise(), 201), 'over');
  t.ok(isGiven([given], raise(), 50), 'a right that is newer than the directive counts');
  const withdrawn = delegation(150, { rights: [], notAfterUnixMs: 150 });
  t.ok(isGiven([given, withdrawn], raise(), 149));
  t.notOk(isGiven([given, withdrawn], raise(), 150), 'withdrawn');
  t.notOk(isGiven([given, withdrawn], raise(160), 149), 'whoever dates it ahead is judged as of then');
  const other = delegation(150, { rights: ['revoke'] });
  t.strictSame(judged([given, other], raise(), 160), {
    isEntitled: false,
    code: 'ERR_DIRECTIVE_NOT_ENTITLED',
    name: 'Ada',
  });
  t.ok(isGiven([given, other, delegation(170)], raise(), 160), 'given again');
  const never = delegation(100, { rights: ['revoke'] });
  t.notOk(isGiven([given, never, withdrawn].slice(1), raise(), 120), 'it was not in force then');
});

t.test('a scope is one of ids, and reaches nothing of the whole site', async (t) => {
  const scope = ['lab', 'lab-door', 'lab-staff'];
  const visitor = {
    id: 'guest',
    name: 'Guest',
    identifier: { bits: 26, value: '00' },
    profiles: ['lab-staff'],
    fromUnixMs: 0,
    untilUnixMs: 1,
  };
  const inside: Directive[] = [
    raise(0, ['lab', 'lab-door']),
    { ...every(0), kind: 'release', raises: ['0f'.repeat(16)] },
    { ...every(0), kind: 'door', door: 'lab-door', order: { kind: 'accessDoor' } },
    { ...every(0), kind: 'visitor', visitor },
  ];
  const outside: Directive[] = [
    raise(0, ['lab', 'hall']),
    raise(),
    { ...every(0), kind: 'door', door: 'front', order: { kind: 'accessDoor' } },
    { ...every(0), kind: 'visitor', visitor: { ...visitor, profiles: ['lab-staff', 'hall'] } },
    { ...every(0), kind: 'revoke', subject: 'credential', subjectId: 'lab' },
    { ...every(0), kind: 'forgive', holder: 'lab' },
    { ...every(0), kind: 'expel', gateway: AUTHORITY, heads: [] },
  ];
  for (const directive of inside) t.ok(isWithin(scope, directive), directive.kind);
  for (const directive of outside) t.notOk(isWithin(scope, directive), directive.kind);
  const rights = [...new Set([...inside, ...outside].map(rightOf))];
  const scoped = delegation(0, { rights, scope });
  for (const directive of inside) t.match(judged([scoped], directive, 1), { isEntitled: true, scope }, directive.kind);
  for (const directive of outside) t.notOk(isGiven([scoped], directive, 1), directive.kind);
});

t.test('the verdict is the same in whatever order delegations are heard, and however often', async (t) => {
  const some = fc.record({
    issuedUnixMs: fc.nat(20),
    notAfterUnixMs: fc.integer({ min: 0, max: 30 }),
    rights: fc.subarray(['mode', 'revoke', 'order']),
    scope: fc.subarray(['lab', 'hall']),
  });
  const shuffled = fc
    .array(some, { minLength: 1, maxLength: 6 })
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })));
  checkProperty(
    fc.property(shuffled, fc.nat(30), fc.nat(30), fc.subarray(['lab', 'hall']), ([all, again], at, issued, scope) => {
      const directive = raise(issued, scope);
      const one = judged(
        all.map((each) => delegation(0, each)),
        directive,
        at,
      );
      const other = judged(
        again.map((each) => delegation(0, each)),
        directive,
        at,
      );
      return JSON.stringify(one) === JSON.stringify(other);
    }),
  );
  t.pass();
});

t.test('operators whose rights were withdrawn leave room for others', async (t) => {
  const entitlements = new Entitlements(undefined);
  const of = (number: number, more: Partial<Delegation> = {}) =>
    delegation(10, { operator: number.toString(16).padStart(64, '0'), ...more });
  for (let number = 0; number < OPERATORS_MAX; number += 1) t.ok(entitlements.take(of(number)));
  t.ok(entitlements.hasRoomFor(of(0).operator));
  t.notOk(entitlements.hasRoomFor(of(OPERATORS_MAX).operator));
  t.notOk(entitlements.take(of(OPERATORS_MAX)), 'as many as may be');
  t.ok(entitlements.take(of(0, { issuedUnixMs: 20, rights: [] })));
  t.equal(entitlements.operators.length, OPERATORS_MAX - 1);
  t.match(entitlements.newestOf(of(0).operator), { rights: [] });
  t.ok(entitlements.take(of(OPERATORS_MAX)));
  t.notOk(entitlements.take(of(0, { issuedUnixMs: 30 })), 'the room is taken');
});

t.test('a visit lasts no longer than the right of whoever lets them in', async (t) => {
  const visit = (untilUnixMs: number): Directive => ({
    ...every(0),
    kind: 'visitor',
    visitor: {
      id: 'guest',
      name: 'Guest',
      identifier: { format: 'h10301', facility: 1, number: 77 },
      profiles: ['lobby'],
      fromUnixMs: 0,
      untilUnixMs,
    },
  });
  const given = [delegation(0, { rights: ['grant'] })];
  t.ok(isGiven(given, visit(1_000), 10));
  t.notOk(isGiven(given, visit(1_001), 10));
});
