import t from 'tap';
import type { DecisionInputs, Reason } from '@sparc/protocol/events';
import type { AccessPoint } from '@sparc/protocol/policy';
import { decide, decisionRecord, isDecision, replayEntry, type AccessRequest } from '@sparc/edge/access';
import { MemoryPolicyView, type MemoryCredential } from '../../support/memory-policy-view.js';
import { ALICE, CONTEXT, policyOf, REQUEST } from './scene.js';

/** What is asked of company at the entry, and of whom. */
interface Row {
  readonly title: string;
  readonly point?: Partial<AccessPoint>;
  readonly alice?: Partial<MemoryCredential>;
  readonly when?: Partial<AccessRequest>;
  readonly escortedInside?: number;
  readonly then: 'grant' | 'deny' | 'pending';
  readonly reason?: Reason;
  readonly flags?: readonly Reason[];
}

const BEN = { credentialId: 'ben-card', holderId: 'ben' };
const ESCORT = { ...BEN, visitorsCount: 1 };
const VISITOR = { escortRequired: true };
const TWO_CARDS = { authentication: 'twoCards' } as const;
const host = (fallback: 'deny' | 'local') => ({ hostAuthorisation: { timeoutMs: 1_000, fallback } });
const EXIT = { direction: 'exit' } as const;
const GUARDED_EXIT = { ...EXIT, independentEgress: true };

const ROWS: readonly Row[] = [
  { title: 'one of two waits', point: TWO_CARDS, then: 'pending', reason: 'second_person_required' },
  { title: 'with the other one, both are there', point: TWO_CARDS, when: { partner: BEN }, then: 'grant' },
  {
    title: 'another card of the same holder is no other person',
    point: TWO_CARDS,
    when: { partner: { credentialId: 'other-card', holderId: 'alice' } },
    then: 'deny',
    reason: 'second_person_same_holder',
  },
  {
    title: 'nobody waits for a second person to be denied with',
    point: TWO_CARDS,
    alice: { holderStatus: 'suspended' },
    then: 'deny',
    reason: 'holder_suspended',
  },
  { title: 'one card lets out', point: { ...TWO_CARDS, ...EXIT }, then: 'grant', flags: ['second_person_required'] },
  {
    title: 'but not where people can leave without it',
    point: { ...TWO_CARDS, ...GUARDED_EXIT },
    then: 'pending',
    reason: 'second_person_required',
  },

  { title: 'a visitor waits', alice: VISITOR, then: 'pending', reason: 'escort_required' },
  { title: 'a visitor enters with an escort', alice: VISITOR, when: { escort: ESCORT }, then: 'grant' },
  {
    title: 'somebody without the right there is no escort',
    alice: VISITOR,
    when: { escort: { credentialId: 'carl-card', holderId: 'carl', visitorsCount: 1 } },
    then: 'deny',
    reason: 'escort_required',
  },
  {
    title: 'nobody is their own escort',
    alice: VISITOR,
    when: { escort: { credentialId: 'ben-card', holderId: 'alice', visitorsCount: 1 } },
    then: 'deny',
    reason: 'escort_required',
  },
  {
    title: 'the fourth visitor on one card of an escort',
    alice: VISITOR,
    when: { escort: { ...ESCORT, visitorsCount: 4 } },
    then: 'grant',
  },
  {
    title: 'the fifth',
    alice: VISITOR,
    when: { escort: { ...ESCORT, visitorsCount: 5 } },
    then: 'deny',
    reason: 'escort_ratio',
  },
  {
    title: 'the second, where one is the most',
    point: { escortRatioMax: 1 },
    alice: VISITOR,
    when: { escort: { ...ESCORT, visitorsCount: 2 } },
    then: 'deny',
    reason: 'escort_ratio',
  },
  {
    title: 'with three others of the same escort inside',
    alice: VISITOR,
    when: { escort: ESCORT },
    escortedInside: 3,
    then: 'grant',
  },
  {
    title: 'with four',
    alice: VISITOR,
    when: { escort: ESCORT },
    escortedInside: 4,
    then: 'deny',
    reason: 'escort_ratio',
  },
  { title: 'a visitor gets out alone', alice: VISITOR, point: EXIT, then: 'grant', flags: ['escort_required'] },

  { title: 'all checks hold, and the host is asked', point: host('deny'), then: 'pending' },
  { title: 'the host agrees', point: host('deny'), when: { hostAnswer: 'allowed' }, then: 'grant' },
  {
    title: 'the host refuses',
    point: host('local'),
    when: { hostAnswer: 'denied' },
    then: 'deny',
    reason: 'host_denied',
  },
  {
    title: 'the host says nothing, and that denies',
    point: host('deny'),
    when: { hostAnswer: 'none' },
    then: 'deny',
    reason: 'host_timeout',
  },
  {
    title: 'the host says nothing, and the gateway decides alone',
    point: host('local'),
    when: { hostAnswer: 'none' },
    then: 'grant',
    flags: ['host_timeout'],
  },
  {
    title: 'the host is not asked about who is denied',
    point: host('deny'),
    alice: { status: 'lost' },
    then: 'deny',
    reason: 'credential_lost',
  },
  { title: 'nor about who wants out', point: { ...host('deny'), ...EXIT }, then: 'grant' },
  {
    title: 'but where people can leave otherwise, it is',
    point: { ...host('deny'), ...GUARDED_EXIT },
    then: 'pending',
  },
  {
    title: 'nor before the second person is there',
    point: { ...host('deny'), ...TWO_CARDS },
    then: 'pending',
    reason: 'second_person_required',
  },
];

function viewOf({ point, alice }: Row): MemoryPolicyView {
  const entry = policyOf().accessPoint('entry');
  if (entry === undefined) throw new Error('the scene has no entry');
  const always = { entry: 'always' };
  const person = (id: string, more: Partial<MemoryCredential> = {}) => ({
    ...ALICE,
    id: `${id}-card`,
    holderId: id,
    keys: [`raw:8:${id}`],
    rights: always,
    ...more,
  });
  return new MemoryPolicyView({
    accessPoints: [{ ...entry, ...point }],
    credentials: [
      { ...ALICE, rights: always, ...alice },
      person('ben', { may: { entry: ['escort'] } }),
      person('carl'),
    ],
  });
}

const decisionOf = (row: Row) => {
  const { escortedInside } = row;
  const passages = {
    factsOf: (): Pick<DecisionInputs, 'escortedInside'> => (escortedInside === undefined ? {} : { escortedInside }),
  };
  return decide({ ...REQUEST, ...row.when }, viewOf(row), { ...CONTEXT, passages });
};

for (const row of ROWS) {
  t.test(`${row.reason ?? row.then}: ${row.title}`, async (t) => {
    const decision = decisionOf(row);
    t.equal(decision.outcome, row.then);
    t.equal(decision.reason, row.reason);
    t.same(decision.flags, row.flags ?? []);
    const record = decisionRecord(decision);
    t.ok(isDecision(record) && replayEntry(record, viewOf(row)).isSame, 'and again from its record');
  });
}

t.test('a wait is recorded by what is waited for', async (t) => {
  const names = ROWS.filter(({ then }) => then === 'pending').map((row) => decisionRecord(decisionOf(row)).name);
  t.same([...new Set(names)], ['access.second_person_pending', 'access.escort_pending', 'access.host_pending']);
});
