import fc from 'fast-check';
import t from 'tap';
import {
  decide,
  decisionRecord,
  explain,
  isDecision,
  NO_CARD,
  recordPinTry,
  releaseObstacle,
  replayEntry,
  WITHOUT_CARD,
  NO_LOCK_OUTS,
  type AccessRequest,
} from '@sparc/edge/access';
import { decodeEvent, encodeEvent, isKnownRecord } from '@sparc/protocol/ledger';
import { checkProperty } from '../../support/property.js';
import { MemoryPolicyView } from '../../support/memory-policy-view.js';
import { ACCESS_POINTS, ALICE, CONTEXT, policyOf, REQUEST } from './scene.js';

const PIN = '135790';
const POINT = 'pin-alone';
const accessPoints = [
  ...ACCESS_POINTS,
  { ...(ACCESS_POINTS[0] as (typeof ACCESS_POINTS)[number]), id: POINT, authentication: 'cardOrPin' as const },
];
const viewOf = (credential: Partial<typeof ALICE> = {}) =>
  new MemoryPolicyView({
    accessPoints,
    schedules: [],
    credentials: [{ ...ALICE, pin: PIN, rights: { [POINT]: 'always' }, ...credential }],
  });

const typed: AccessRequest = { ...REQUEST, accessPointId: POINT, card: NO_CARD, pin: PIN };

t.test('a decision about a PIN alone is made again from its entry', async (t) => {
  for (const credential of [{}, { status: 'blocked' as const }, { pin: '000000' }]) {
    const view = viewOf(credential);
    const record = decodeEvent(encodeEvent(decisionRecord(decide(typed, view, CONTEXT))));
    if (!isKnownRecord(record) || !isDecision(record)) throw new Error('no decision');
    const { isSame, again } = replayEntry(record, view);
    t.ok(isSame, again.name);
    t.notMatch(JSON.stringify(record), PIN);
  }
});

t.test(
  'without a card nobody is granted but by a PIN of theirs, where it is taken, while it is not locked out',
  async (t) => {
    const locked = [1, 2].reduce(
      (state) =>
        recordPinTry(
          state,
          { credentialId: WITHOUT_CARD, readerId: 'entry-reader', right: false, nowMs: CONTEXT.monotonicMs },
          { attemptsMax: 2, lockOutMs: 60_000 },
        ).state,
      NO_LOCK_OUTS,
    );
    checkProperty(
      fc.property(
        fc.constantFrom(POINT, ...ACCESS_POINTS.map(({ id }) => id)),
        fc.constantFrom(PIN, '000000', '', undefined),
        fc.boolean(),
        (accessPointId, pin, isLocked) => {
          const { pin: _pin, ...rest } = typed;
          const request = { ...rest, accessPointId, ...(pin !== undefined && { pin }) };
          const context = { ...CONTEXT, lockOuts: isLocked ? locked : NO_LOCK_OUTS };
          const { outcome } = decide(
            request,
            viewOf({ rights: Object.fromEntries(accessPoints.map(({ id }) => [id, 'always'])) }),
            context,
          );
          return (outcome === 'grant') === (accessPointId === POINT && pin === PIN && !isLocked);
        },
      ),
      300,
    );
    t.pass();
  },
);

t.test('at the release the holder of a PIN is looked at again, and one who is gone does not pass', async (t) => {
  const granted = decide(typed, viewOf(), CONTEXT);
  t.equal(granted.outcome, 'grant');
  t.equal(releaseObstacle(granted, viewOf(), {}), undefined);
  t.equal(releaseObstacle(granted, viewOf({ status: 'stolen' }), {}), 'credential_stolen');
  t.equal(releaseObstacle(granted, viewOf({ id: 'another' }), {}), 'credential_unknown');
});

t.test('an explanation says that no card was shown', async (t) => {
  const text = explain(decisionRecord(decide({ ...typed, pin: '000000' }, viewOf(), CONTEXT))).join('\n');
  t.match(text, 'A PIN that nobody has was denied access.');
  t.match(text, 'Because: wrong PIN (pin_wrong).');
  t.match(text, 'a PIN was typed, and no card was shown');
  t.notMatch(explain(decisionRecord(decide(REQUEST, policyOf(), CONTEXT))).join('\n'), 'PIN was typed');
});
