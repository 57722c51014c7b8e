import fc from 'fast-check';
import t from 'tap';
import { isDecision, replayEntry } from '@sparc/edge/access';
import type { AuthorisationHost } from '@sparc/edge/host';
import { checkAsyncProperty } from '../../support/property.js';
import { cardBits } from '../access/scene.js';
import { FieldSite, sitePolicy } from './field-site.js';

const RATIO_MAX = 2;

/** What is asked at the front door, and how long the disk takes. */
interface World {
  readonly authentication: 'card' | 'twoCards';
  readonly fallback: 'deny' | 'local' | undefined;
  readonly flushMs: number;
}
const world: fc.Arbitrary<World> = fc.record({
  authentication: fc.constantFrom('card', 'twoCards'),
  fallback: fc.constantFrom('deny', 'local', undefined),
  flushMs: fc.constantFrom(1, 700),
});

/** A card at the door, or a swap of the policy, and how long after the one before; and what the host says from then on. */
interface Act {
  readonly card: number | 'swap';
  readonly afterMs: number;
  readonly host: 'allowed' | 'denied' | 'silent';
}
/** Two are Ann's, who escorts; then Carla's and Dora's; the last two are visitors'. */
const CARDS = [42, 60, 44, 61, 71, 72] as const;
const act: fc.Arbitrary<Act> = fc.record({
  card: fc.option(fc.constantFrom(...CARDS), { nil: 'swap' as const, freq: 20 }),
  afterMs: fc.constantFrom(50, 900, 2_500, 6_000),
  host: fc.constantFrom('allowed', 'allowed', 'denied', 'silent'),
});

const policyOf = ({ authentication, fallback }: World, revision: string) =>
  sitePolicy({
    revision,
    carla: true,
    ann: { may: { 'front-in': ['escort'] } },
    people: [
      { id: 'ann-2', number: 60, holderId: 'ann-holder' },
      { id: 'dora', number: 61 },
      { id: 'visitor-1', number: 71, escortRequired: true },
      { id: 'visitor-2', number: 72, escortRequired: true },
    ],
    accessPoints: {
      'front-in': {
        authentication,
        twoPersonWindowMs: 5_000,
        escortWindowMs: 5_000,
        escortRatioMax: RATIO_MAX,
        ...(fallback && { hostAuthorisation: { timeoutMs: 1_000, fallback } }),
      },
    },
  });

async function run(given: World, acts: readonly Act[]) {
  let answer: Act['host'] = 'allowed';
  const host: AuthorisationHost = {
    authorise: () =>
      new Promise((resolve) => {
        if (answer === 'silent') return;
        const said = answer;
        site.clock.setTimer(400, () => resolve(said));
      }),
  };
  const site = await FieldSite.open({ policy: policyOf(given, 'r1'), host });
  site.journal.flushMs = given.flushMs;
  let revision = 1;
  for (const each of acts) {
    await site.clock.advance(each.afterMs);
    answer = each.host;
    if (each.card === 'swap') site.field.usePolicy(policyOf(given, `r${++revision}`));
    else site.bus.card('front-in', cardBits('h10301', 1, each.card));
  }
  await site.clock.advance(60_000);
  return site.journal.entries;
}

type Entries = Awaited<ReturnType<typeof run>>;

/** Credentials that were told to wait, and then nothing more. */
function forgotten(entries: Entries): string[] {
  const waiting = new Set<string>();
  for (const { record } of entries) {
    if (!isDecision(record)) continue;
    if (record.name.endsWith('_pending')) waiting.add(record.credentialId ?? '');
    else waiting.delete(record.credentialId ?? '');
  }
  return [...waiting];
}

const RELEASES = ['access.released', 'access.not_executed', 'access.outcome_unknown', 'access.abandoned'];

/** Grants of which nobody says whether the lock was released. */
function openGrants(entries: Entries): string[] {
  const ends = entries.filter(({ record }) => RELEASES.includes(record.name));
  const closed = new Set(ends.map(({ record: { causeId } }) => JSON.stringify(causeId)));
  const grants = entries.filter(({ record }) => record.name === 'access.granted');
  return grants.flatMap(({ id, record }) => (closed.has(JSON.stringify(id)) ? [] : (record.credentialId ?? '')));
}

/** Grants of somebody who should not have passed without company. */
function alone({ authentication }: World, entries: Entries): string[] {
  const grants = entries.flatMap(({ record }) =>
    isDecision(record) && record.name === 'access.granted' ? [record] : [],
  );
  return grants.flatMap(({ credentialId = '', holderId, inputs: { partner, escort } }) => {
    const isOne = ({ credentialId: id, inputs }: (typeof grants)[number]) =>
      id === partner?.credentialId && inputs.partner?.credentialId === credentialId;
    const hasPartner = partner !== undefined && partner.holderId !== holderId && grants.some(isOne);
    const hasEscort = escort?.holderId === 'ann-holder' && escort.visitorsCount <= RATIO_MAX;
    const isVisitor = credentialId.startsWith('visitor');
    return (authentication === 'card' || hasPartner) && (!isVisitor || hasEscort) ? [] : [credentialId];
  });
}

/** Decisions that come out otherwise from their records. */
const changed = (given: World, entries: Entries): string[] =>
  entries.flatMap(({ record }) =>
    isDecision(record) && !replayEntry(record, policyOf(given, 'any').view).isSame ? [record.name] : [],
  );

t.test(
  'whoever comes when, every wait and every grant ends, and nobody passes without the company needed',
  async (t) => {
    const seen = new Set<string>();
    await checkAsyncProperty(
      fc.asyncProperty(world, fc.array(act, { maxLength: 10 }), async (given, acts) => {
        const entries = await run(given, acts);
        for (const { record } of entries) seen.add(record.name).add(record.reason ?? '');
        const wrong = {
          forgotten: forgotten(entries),
          openGrants: openGrants(entries),
          alone: alone(given, entries),
          changed: changed(given, entries),
        };
        const isWrong = Object.values(wrong).some(({ length }) => length > 0);
        if (isWrong) throw new Error(JSON.stringify({ wrong, names: entries.map(({ record }) => record.name) }));
      }),
      80,
    );
    for (const each of [
      'access.released',
      'second_person_same_holder',
      'second_person_timeout',
      'escort_timeout',
      'host_denied',
      'host_timeout',
    ]) {
      t.ok(seen.has(each), `${each} was among them`);
    }
  },
);
