import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { TIME_QUALITIES } from '@sparc/protocol/ports';
import { CREDENTIAL_STATUSES } from '@sparc/protocol/policy';
import { REASONS } from '@sparc/protocol/events';
import { decide, decisionRecord, replay, type AccessRequest, type DecisionContext } from '@sparc/edge/access';
import { checkProperty } from '../../support/property.js';
import { ACCESS_POINTS, cardBits, CONTEXT, NOON_UNIX_MS, policyOf, REQUEST, type Given } from './scene.js';

interface Case {
  readonly given: Given;
  readonly request: AccessRequest;
  readonly context: DecisionContext;
}

const HOUR_MS = 3_600_000;
const instant = fc.integer({ min: NOON_UNIX_MS - 200 * HOUR_MS, max: NOON_UNIX_MS + 200 * HOUR_MS });

const arbitraryCase: fc.Arbitrary<Case> = fc
  .record({
    credential: fc.record({
      status: fc.constantFrom('active' as const, 'active' as const, ...CREDENTIAL_STATUSES),
      holderStatus: fc.constantFrom('active' as const, 'active' as const, 'suspended' as const),
      hasPin: fc.boolean(),
      override: fc.boolean(),
    }),
    validity: fc.record({ validFromUnixMs: instant, validToUnixMs: instant }, { requiredKeys: [] }),
    noRights: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    schedule: fc.constantFrom('day', 'night', 'always', 'whole-week'),
    accessPointId: fc.constantFrom('cellar', ...ACCESS_POINTS.map(({ id }) => id)),
    card: fc.constantFrom(
      REQUEST.card,
      REQUEST.card,
      REQUEST.card,
      cardBits('h10301', 7, 42),
      cardBits('h10302', undefined, 1),
    ),
    pin: fc.option(fc.constantFrom('2468', '1357', '8642'), { nil: undefined }),
    link: fc.record({ secure: fc.boolean(), tampered: fc.boolean() }),
    readAgeMs: fc.constantFrom(0, 50, 2_000, 2_001),
    wall: fc.record({ unixMs: instant, quality: fc.constantFrom(...TIME_QUALITIES) }),
    secureChannelRequired: fc.boolean(),
    doorMode: fc.constantFrom(undefined, undefined, undefined, 'blocked' as const, 'lockedDown' as const),
    interlockBusy: fc.constantFrom(false, false, true),
  })
  .map(
    ({
      credential,
      validity,
      noRights,
      schedule,
      accessPointId,
      card,
      pin,
      link,
      readAgeMs,
      doorMode,
      ...context
    }) => ({
      given: {
        credential: { ...credential, duressPin: '8642', ...validity, ...(noRights && { rights: {} }) },
        ...(!noRights && { schedule }),
      },
      request: { accessPointId, card, link, readAgeMs, ...(pin !== undefined && { pin }) },
      context: { ...CONTEXT, ...context, ...(doorMode && { doorMode }) },
    }),
  );

const decideCase = ({ given, request, context }: Case) => decide(request, policyOf(given), context);

/** Each makes something worse and nothing better. */
const WORSENINGS: readonly ((one: Case) => Case)[] = [
  (one) => ({ ...one, given: { ...one.given, credential: { ...one.given.credential, status: 'stolen' } } }),
  (one) => ({ ...one, given: { ...one.given, credential: { ...one.given.credential, holderStatus: 'suspended' } } }),
  (one) => ({ ...one, given: { ...one.given, credential: { ...one.given.credential, validToUnixMs: 0 } } }),
  (one) => ({
    given: { credential: { ...one.given.credential, rights: {} } },
    request: one.request,
    context: one.context,
  }),
  (one) => ({ ...one, given: { ...one.given, formats: [{ format: 'h10301', facilityCodes: [200] }] } }),
  (one) => ({ ...one, request: { ...one.request, readAgeMs: 60_000 } }),
  (one) => ({ ...one, request: { ...one.request, link: { ...one.request.link, tampered: true } } }),
  (one) => ({ ...one, request: { ...one.request, pin: '0000' } }),
  // Blocked is the worse of the two: no right overrides it.
  (one) => ({ ...one, context: { ...one.context, doorMode: one.context.doorMode ?? 'lockedDown' } }),
  (one) => ({ ...one, context: { ...one.context, interlockBusy: true } }),
  (one) => ({ ...one, context: { ...one.context, wall: { ...one.context.wall, quality: 'stepped' } } }),
  (one) => ({ ...one, context: { ...one.context, secureChannelRequired: true } }),
];

t.test('one more cause of denial never turns a denial into a grant', async (t) => {
  checkProperty(
    fc.property(arbitraryCase, fc.constantFrom(...WORSENINGS), (one, worsen) => {
      return decideCase(one).outcome === 'grant' || decideCase(worsen(one)).outcome !== 'grant';
    }),
    5_000,
  );
  t.pass();
});

t.test('nobody without the override right is granted in lockdown, and every override alarms', async (t) => {
  let overrides = 0;
  checkProperty(
    fc.property(arbitraryCase, (one) => {
      const { link, readAgeMs, card } = REQUEST;
      const request = { ...one.request, link, readAgeMs, card };
      const lockedDown = { ...one, request, context: { ...one.context, doorMode: 'lockedDown' as const } };
      const { outcome, alarms } = decideCase(lockedDown);
      if (outcome !== 'grant') return !alarms.includes('access.override');
      overrides++;
      return one.given.credential?.override === true && alarms.includes('access.override');
    }),
    3_000,
  );
  t.ok(overrides > 20, `${overrides} overrides`);
});

t.test('the same inputs give the same decision, and its record gives it again', async (t) => {
  checkProperty(
    fc.property(arbitraryCase, (one) => {
      const decision = decideCase(one);
      if (!isDeepStrictEqual(decideCase(one), decision)) return false;
      const { accessPointId, card, inputs } = decisionRecord(decision);
      if (accessPointId === undefined || !card || !inputs) return false;
      const again = replay({ accessPointId, card, inputs }, policyOf(one.given));
      return isDeepStrictEqual(again, decision);
    }),
    500,
  );
  t.pass();
});

t.test('on the way out, neither validity nor rights nor the holder keep anybody in', async (t) => {
  const neverDenies = new Set(['outside_schedule', 'no_right', 'expired', 'not_yet_valid', 'holder_suspended']);
  let exits = 0;
  checkProperty(
    fc.property(arbitraryCase, (one) => {
      const decision = decideCase({ ...one, request: { ...one.request, accessPointId: 'exit' } });
      if (decision.outcome === 'grant') exits++;
      return decision.reason === undefined || !neverDenies.has(decision.reason);
    }),
    2_000,
  );
  t.ok(exits > 20, `${exits} exits`);
});

t.test('reasons are in rank order, and no grant away from an exit has one', async (t) => {
  checkProperty(
    fc.property(arbitraryCase, (one) => {
      const { outcome, reason, alsoFailed, flags } = decideCase(one);
      const ranks = (reasons: readonly (typeof REASONS)[number][]) => reasons.map((r) => REASONS.indexOf(r));
      const sorted = (list: number[]) => list.every((rank, i) => i === 0 || rank > (list[i - 1] ?? -1));
      if (!sorted(ranks(alsoFailed)) || !sorted(ranks(flags))) return false;
      if (outcome !== 'grant') return reason !== undefined && flags.length === 0;
      return (
        reason === undefined &&
        alsoFailed.length === 0 &&
        (flags.length === 0 || one.request.accessPointId.endsWith('exit') || one.given.credential?.override === true)
      );
    }),
    2_000,
  );
  t.pass();
});
