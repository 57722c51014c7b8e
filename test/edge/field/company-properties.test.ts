import fc from 'fast-check';
import t from 'tap';
import type { EventRecord } from '@sparc/protocol/events';
import { isDecision, replayEntry } from '@sparc/edge/access';
import { checkAsyncProperty } from '../../support/property.js';
import { cardBits } from '../access/scene.js';
import { FieldSite, sitePolicy } from './field-site.js';

const WINDOW_MS = 5_000;
const RATIO_MAX = 2;

/** Whose cards are about; two are Ann's, who escorts, and the last two are visitors'. */
const CARDS = [42, 60, 44, 61, 71, 72] as const;

interface Act {
  readonly card: number | 'swap';
  readonly afterMs: number;
}
/** A card at the door, or a swap of the policy, and how long after the one before. */
const act: fc.Arbitrary<Act> = fc.record({
  card: fc.option(fc.constantFrom(...CARDS), { nil: 'swap' as const, freq: 20 }),
  afterMs: fc.constantFrom(50, 900, 2_500, 6_000),
});

const policyOf = (authentication: 'card' | 'twoCards', revision: string) =>
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
        twoPersonWindowMs: WINDOW_MS,
        escortWindowMs: WINDOW_MS,
        escortRatioMax: RATIO_MAX,
      },
    },
  });

async function run(authentication: 'card' | 'twoCards', acts: readonly Act[]) {
  let revision = 1;
  const site = await FieldSite.open({ policy: policyOf(authentication, 'r1') });
  for (const { card, afterMs } of acts) {
    await site.clock.advance(afterMs);
    if (card === 'swap') site.field.usePolicy(policyOf(authentication, `r${++revision}`));
    else site.bus.card('front-in', cardBits('h10301', 1, card));
  }
  await site.clock.advance(60_000);
  return site.journal.entries.map(({ record }) => record);
}

const isVisitor = ({ credentialId = '' }: EventRecord): boolean => credentialId.startsWith('visitor');

t.test(
  'whatever is presented when, every wait ends once, and nobody passes without the company they need',
  async (t) => {
    const seen = new Set<string>();
    await checkAsyncProperty(
      fc.asyncProperty(
        fc.constantFrom('card', 'twoCards'),
        fc.array(act, { maxLength: 10 }),
        async (authentication, acts) => {
          const records = await run(authentication, acts);
          const decisions = records.filter(isDecision);
          for (const { name, reason } of decisions) seen.add(reason ?? name);
          const open = new Map<string, number>();
          for (const { name, credentialId = '' } of decisions) {
            const waiting = open.get(credentialId) ?? 0;
            if (name.endsWith('_pending')) open.set(credentialId, waiting + 1);
            else if (waiting > 0) open.set(credentialId, waiting - 1);
          }
          if ([...open.values()].some((count) => count > 0))
            throw new Error(
              decisions
                .map(({ name, credentialId, reason }) => `${name} ${credentialId ?? ''} ${reason ?? ''}`)
                .join('; '),
            );
          const grants = decisions.filter(({ name }) => name === 'access.granted');
          for (const grant of grants) {
            const { partner, escort } = grant.inputs;
            if (authentication === 'twoCards') {
              const other = grants.find(
                ({ credentialId, inputs }) =>
                  credentialId === partner?.credentialId && inputs.partner?.credentialId === grant.credentialId,
              );
              if (other === undefined || other.holderId === grant.holderId)
                throw new Error('granted without another person');
            }
            if (!isVisitor(grant)) continue;
            if (escort?.holderId !== 'ann-holder' || escort.visitorsCount > RATIO_MAX)
              throw new Error('a visitor without escort');
          }
          for (const decision of decisions) {
            if (!replayEntry(decision, policyOf(authentication, 'any').view).isSame)
              throw new Error(`${decision.name} differs`);
          }
        },
      ),
      60,
    );
    for (const each of [
      'second_person_required',
      'second_person_same_holder',
      'second_person_timeout',
      'escort_required',
      'escort_timeout',
      'access.granted',
    ]) {
      t.ok(seen.has(each), `${each} was among them`);
    }
  },
);
