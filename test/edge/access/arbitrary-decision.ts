import fc from 'fast-check';
import type { AreaInput, DecisionInputs } from '@sparc/protocol/events';
import {
  CREDENTIAL_STATUSES,
  DOOR_MODES,
  type AccessPoint,
  type Area,
  type StandingMode,
} from '@sparc/protocol/policy';
import { TIME_QUALITIES } from '@sparc/protocol/ports';
import { NO_CARD, type RecordedPresentation } from '@sparc/edge/access';
import { MemoryPolicyView, type MemoryCredential } from '../../support/memory-policy-view.js';
import { ALICE, cardBits, NOON_UNIX_MS } from './scene.js';

/** One decision as an entry records it, and the policy that it was made under: any rule may stand, any input may be. */
export interface AnyDecision {
  readonly accessPoint: AccessPoint;
  readonly area: Area;
  readonly alice: MemoryCredential;
  readonly bob: MemoryCredential;
  readonly minimumClearance: readonly number[];
  readonly presented: RecordedPresentation;
}

const HOUR_MS = 3_600_000;
const MODES = DOOR_MODES.filter((mode): mode is StandingMode => mode !== 'accessed');
/** Mostly as it is in normal times, or too few cases come to a grant. */
const seldom = <T>(value: fc.Arbitrary<T>, usual: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: value });

/** A record with so many of its optional fields at most: with all rules at once nobody is ever granted. */
function some<T extends object, K extends keyof T>(
  record: fc.Arbitrary<T>,
  required: readonly K[],
  max: number,
): fc.Arbitrary<Pick<T, K> & Partial<T>> {
  return record.chain((whole) => {
    const optional = Object.keys(whole).filter((key) => !required.includes(key as K));
    return fc
      .subarray(optional, { maxLength: Math.min(max, optional.length) })
      .map((kept) => Object.fromEntries([...required, ...kept].map((key) => [key, whole[key as K]])) as T);
  });
}

const accessPoint: fc.Arbitrary<AccessPoint> = some(
  fc.record(
    {
      direction: fc.constantFrom('entry' as const, 'entry' as const, 'exit' as const),
      authentication: fc.constantFrom('card', 'card', 'card', 'cardAndPin', 'twoCards', 'cardOrPin'),
      enabled: seldom(fc.boolean(), true),
      independentEgress: fc.boolean(),
      facilityCodes: seldom(fc.constant<number[]>([7]), [1]),
      reuseDelayMs: fc.constant(60_000),
      escortRatioMax: fc.constant(2),
      minimumClearance: fc.constant<number[]>([0, 2, 4]),
      policyStaleness: fc
        .constantFrom('deny' as const, 'grantAndFlag' as const)
        .map((then) => ({ maxAgeMs: HOUR_MS, then })),
      hostAuthorisation: fc
        .constantFrom('deny' as const, 'local' as const)
        .map((fallback) => ({ timeoutMs: 1_000, fallback })),
      onUnknownClock: fc.constantFrom('alwaysOnly' as const, 'denyScheduled' as const),
    },
    { noNullPrototype: true },
  ),
  ['direction', 'authentication'],
  3,
).map(({ direction, independentEgress, ...rules }) => ({
  id: 'point',
  name: 'Point',
  door: 'door',
  reader: 'reader',
  onRecordFailure: 'deny',
  direction,
  ...(direction === 'exit' ? { areaFrom: 'hall', ...(independentEgress === true && { independentEgress }) } : {}),
  ...(direction === 'entry' ? { areaTo: 'hall' } : {}),
  ...rules,
}));

const area: fc.Arbitrary<Area> = some(
  fc.record(
    {
      id: fc.constant('hall'),
      name: fc.constant('Hall'),
      enabled: seldom(fc.boolean(), true),
      antiPassback: fc.record({
        mode: fc.constantFrom('hard' as const, 'soft' as const),
        unknown: fc.constantFrom('failSoft' as const, 'failSecure' as const, 'localOnly' as const),
      }),
      occupancyMax: fc.constant(3),
      occupancyMin: fc.constant(1),
    },
    { noNullPrototype: true },
  ),
  ['id', 'name'],
  2,
);

const alice: fc.Arbitrary<MemoryCredential> = some(
  fc.record(
    {
      status: seldom(fc.constantFrom(...CREDENTIAL_STATUSES), 'active'),
      holderStatus: seldom(fc.constant('suspended' as const), 'active' as const),
      hasPin: seldom(fc.constant(false), true),
      override: fc.boolean(),
      usesMax: fc.constant(2),
      clearance: fc.nat(5),
      escortRequired: seldom(fc.constant(true), false),
      validToUnixMs: fc.integer({ min: NOON_UNIX_MS - HOUR_MS, max: NOON_UNIX_MS + 20 * HOUR_MS }),
      schedule: fc.constantFrom('day', 'always', 'always', 'always', 'never'),
      mayOpenFirst: fc.boolean(),
    },
    { noNullPrototype: true },
  ),
  ['status', 'holderStatus', 'hasPin', 'schedule', 'mayOpenFirst'],
  2,
).map(({ schedule, mayOpenFirst, ...rest }) => ({
  ...ALICE,
  ...rest,
  rights: schedule === 'never' ? {} : { point: schedule },
  ...(mayOpenFirst && { may: { point: ['openFirst' as const] } }),
}));

/** Stands beside Alice, as partner or as escort. */
const bob: fc.Arbitrary<MemoryCredential> = seldom(fc.constant(false), true).map((mayEscort) => ({
  ...ALICE,
  id: 'bob-card',
  holderId: 'bob',
  keys: ['h10301:1:43'],
  rights: { point: 'always' },
  ...(mayEscort && { may: { point: ['escort' as const] } }),
}));

const holder = seldom(fc.constant('alice'), 'bob').map((holderId) => ({ credentialId: 'bob-card', holderId }));

const inputs: fc.Arbitrary<DecisionInputs> = some(
  fc.record(
    {
      atUnixMs: seldom(
        fc.integer({ min: NOON_UNIX_MS - 20 * HOUR_MS, max: NOON_UNIX_MS + 20 * HOUR_MS }),
        NOON_UNIX_MS,
      ),
      timeQuality: seldom(fc.constantFrom(...TIME_QUALITIES), 'synced'),
      policyRevision: fc.constant('r1'),
      direction: fc.constant('entry' as const),
      linkSecure: seldom(fc.constant(false), true),
      linkTampered: seldom(fc.constant(true), false),
      readAgeMs: seldom(fc.constantFrom(2_000, 2_001), 50),
      pin: seldom(fc.constantFrom('none', 'wrong', 'duress'), 'right'),
      lockedOut: seldom(fc.constant(true), false),
      doorMode: seldom(fc.constantFrom(...MODES), 'locked'),
      interlockBusy: seldom(fc.constant(true), false),
      location: fc.record(
        { areaId: fc.constant('hall'), certain: seldom(fc.constant(false), true) },
        { requiredKeys: ['certain'], noNullPrototype: true },
      ),
      sinceHereMs: fc.constantFrom(59_999, 60_000, 100_000),
      occupancy: fc
        .tuple(
          fc.constantFrom(0, 1, 2, 2, 3),
          seldom(fc.constantFrom<Partial<AreaInput>>({ unheard: true }, { freePass: true }), {}),
        )
        .map(([others, more]) => [{ areaId: 'hall', others, ...more }]),
      pendingElsewhere: seldom(fc.constant(true), false),
      revocations: fc.record(
        { newest: fc.constant(5), hit: fc.constant(3) },
        { requiredKeys: ['newest'], noNullPrototype: true },
      ),
      partner: holder,
      escort: holder.chain((who) => fc.integer({ min: 1, max: 4 }).map((visitorsCount) => ({ ...who, visitorsCount }))),
      escortedInside: fc.constantFrom(0, 0, 1, 2),
      hostAnswer: seldom(fc.constantFrom('denied', 'none'), 'allowed'),
      threatLevel: seldom(fc.nat(5), 0),
      policyAgeMs: fc.constantFrom(0, 0, HOUR_MS - 1, HOUR_MS),
      clockErrorMs: fc.constantFrom(0, 60_000),
      clockFloorUnixMs: fc.constant(NOON_UNIX_MS - HOUR_MS),
      usesCount: fc.constantFrom(0, 0, 1, 2),
      firstCardIn: seldom(fc.constant(false), true),
    },
    { noNullPrototype: true },
  ),
  [
    'atUnixMs',
    'timeQuality',
    'policyRevision',
    'direction',
    'linkSecure',
    'linkTampered',
    'readAgeMs',
    'pin',
    'lockedOut',
  ],
  12,
);

export const anyDecision: fc.Arbitrary<AnyDecision> = fc
  .record({
    accessPoint,
    area,
    alice,
    bob,
    minimumClearance: seldom(fc.constantFrom<number[]>([1], [0, 3]), [0]),
    inputs,
    card: seldom(fc.constantFrom(cardBits('h10301', 1, 99), cardBits('h10301', 7, 42)), cardBits('h10301', 1, 42)),
    typed: fc.constantFrom('with a card', "Alice's PIN", 'a PIN that nobody has'),
  })
  .map(({ inputs: seen, card, typed, ...rest }) => {
    const { authentication, direction } = rest.accessPoint;
    const isAlone = authentication === 'cardOrPin' && typed !== 'with a card';
    const pinAlone = typed === "Alice's PIN" ? { credentialId: rest.alice.id } : {};
    return {
      ...rest,
      presented: {
        accessPointId: 'point',
        card: isAlone ? NO_CARD : card,
        inputs: { ...seen, direction, ...(isAlone && { pinAlone }) },
      },
    };
  });

export const policyOfDecision = (one: AnyDecision): MemoryPolicyView =>
  new MemoryPolicyView({
    accessPoints: [one.accessPoint],
    areas: [one.area],
    minimumClearance: one.minimumClearance,
    schedules: [{ id: 'day', name: 'Day', weekly: [{ days: ['we'], from: '08:00', to: '18:00' }] }],
    credentials: [one.alice, one.bob],
  });
