import t from 'tap';
import type { AccessPoint } from '@sparc/protocol/policy';
import {
  decide,
  decisionRecord,
  isDecision,
  releaseObstacle,
  replayEntry,
  type DecisionContext,
  type PassageFacts,
} from '@sparc/edge/access';
import { decodeEvent, encodeEvent, isKnownRecord } from '@sparc/protocol/ledger';
import { MemoryPolicyView, type MemoryCredential, type MemoryPolicy } from '../../support/memory-policy-view.js';
import { ACCESS_POINTS, ALICE, CONTEXT, REQUEST } from './scene.js';

interface Given {
  readonly point?: Partial<AccessPoint>;
  readonly credential?: Partial<MemoryCredential>;
  readonly policy?: Partial<MemoryPolicy>;
}

function viewOf({ point, credential, policy }: Given): MemoryPolicyView {
  return new MemoryPolicyView({
    accessPoints: ACCESS_POINTS.map((each) => ({ ...each, ...point })),
    schedules: [],
    credentials: [{ ...ALICE, rights: { entry: 'always', exit: 'always' }, ...credential }],
    ...policy,
  });
}

/** The answer, after its record went through the codec and gave it again. */
function answer(given: Given, context: Partial<DecisionContext>, accessPointId = 'entry'): string {
  const view = viewOf(given);
  const decision = decide({ ...REQUEST, accessPointId }, view, { ...CONTEXT, ...context });
  const record = decodeEvent(encodeEvent(decisionRecord(decision)));
  if (!isKnownRecord(record) || !isDecision(record) || !replayEntry(record, view).isSame) {
    throw new Error('its record does not give it again');
  }
  return decision.reason ?? (decision.flags.length > 0 ? `flagged ${decision.flags.join()}` : decision.outcome);
}
const knowing = (facts: PassageFacts) => ({ passages: { factsOf: () => facts } });

t.test('a limit of uses counts those under way, and a count that is not known denies', async (t) => {
  const limited = { credential: { usesMax: 3 } };
  t.equal(answer(limited, knowing({ usesCount: 0 })), 'grant');
  t.equal(answer(limited, knowing({ usesCount: 2 })), 'grant');
  t.equal(answer(limited, knowing({ usesCount: 3 })), 'use_limit');
  t.equal(answer(limited, knowing({ usesCount: 4 })), 'use_limit', 'a limit that was lowered');
  t.equal(answer(limited, knowing({})), 'use_limit');
  t.equal(answer(limited, {}), 'use_limit');
  t.equal(answer({}, {}), 'grant', 'without a limit nothing is counted');
});

t.test('leaving is no use', async (t) => {
  t.equal(answer({ credential: { usesMax: 1 } }, knowing({}), 'exit'), 'grant');
});

t.test('before the first card only those enter who may be it', async (t) => {
  const may = { credential: { may: { entry: ['openFirst'] as const } } };
  t.equal(answer({}, knowing({ firstCardIn: false })), 'first_card_required');
  t.equal(answer({}, knowing({ firstCardIn: true })), 'grant');
  t.equal(answer({}, knowing({})), 'grant', 'where nobody has to come first');
  t.equal(answer(may, knowing({ firstCardIn: false })), 'grant');
  const closed = { credential: { ...may.credential, rights: { entry: 'never' } } };
  const policy = { schedules: [{ id: 'never', name: 'Never', weekly: [] }] };
  t.equal(answer({ ...closed, policy }, knowing({ firstCardIn: false })), 'outside_schedule');
});

t.test('clearance is asked by threat level, at the access point or else by the site', async (t) => {
  const bySite = { policy: { minimumClearance: [0, 2] } };
  const levels = (given: Given) => [0, 1, 2, 5].map((threatLevel) => answer(given, { threatLevel }));
  const low = 'clearance_too_low';
  t.same(levels(bySite), ['grant', low, low, low], 'the last level counts for those above it');
  t.same(levels({ ...bySite, credential: { clearance: 2 } }), ['grant', 'grant', 'grant', 'grant']);
  t.same(levels({ ...bySite, point: { minimumClearance: [0, 0, 3] } }), ['grant', 'grant', low, low]);
  t.same(levels({ ...bySite, point: { minimumClearance: [0] } }), ['grant', 'grant', 'grant', 'grant']);
  t.same(levels({}), ['grant', 'grant', 'grant', 'grant']);
  t.equal(answer(bySite, { threatLevel: 1 }, 'exit'), `flagged ${low}`);
});

t.test('a threat level that rises while the record is written stops the release', async (t) => {
  const view = viewOf({ policy: { minimumClearance: [0, 2] } });
  const decision = decide(REQUEST, view, CONTEXT);
  t.equal(releaseObstacle(decision, view, {}), undefined);
  t.equal(releaseObstacle(decision, view, { threatLevel: 1 }), 'clearance_too_low');
  const before = decide(REQUEST, viewOf({ credential: { clearance: 2 }, policy: { minimumClearance: [0, 2] } }), {
    ...CONTEXT,
    threatLevel: 1,
  });
  t.equal(releaseObstacle(before, view, { threatLevel: 0 }), undefined, 'and one that fell does not');
});
