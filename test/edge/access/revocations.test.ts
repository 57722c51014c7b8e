import t from 'tap';
import {
  decide,
  decideEmergency,
  decisionRecord,
  explain,
  isDecision,
  releaseObstacle,
  replayEntry,
  type EmergencyView,
  type RevocationView,
} from '@sparc/edge/access';
import { decodeEvent, encodeEvent, isKnownRecord } from '@sparc/protocol/ledger';
import { ACCESS_POINTS, CONTEXT, policyOf, REQUEST, type Given } from './scene.js';

const NEWEST = 7;
const revoked = (credentialId?: string, holderId?: string): RevocationView => ({
  newest: NEWEST,
  of: (credential, holder) => {
    if (credential === credentialId) return 5;
    return holderId !== undefined && holder === holderId ? 6 : undefined;
  },
});
const decided = (revocations: RevocationView, given: Given = {}, accessPointId = 'entry') =>
  decide({ ...REQUEST, accessPointId }, policyOf(given), { ...CONTEXT, revocations });

t.test('a revocation of the credential or of its holder outranks what the policy says', async (t) => {
  for (const [revocations, hit] of [
    [revoked('alice-card'), 5],
    [revoked(undefined, 'alice'), 6],
  ] as const) {
    const decision = decided(revocations);
    t.match(decision, { outcome: 'deny', reason: 'credential_revoked', alarms: ['credential.alarm'] });
    t.same(decision.inputs.revocations, { newest: NEWEST, hit });
  }
  t.match(decided(revoked('bob-card', 'bob')), { outcome: 'grant', inputs: { revocations: { newest: NEWEST } } });
});

t.test('a revocation is named before the expiry, the status and the suspension that it outlives', async (t) => {
  const given: Given = { credential: { status: 'stolen', validToUnixMs: 0, holderStatus: 'suspended' } };
  t.match(decided(revoked('alice-card'), given), {
    reason: 'credential_revoked',
    alsoFailed: ['credential_stolen', 'holder_suspended', 'expired'],
    alarms: ['credential.alarm'],
  });
});

t.test('neither an override right nor a way out with another one beside it saves a revoked credential', async (t) => {
  const given: Given = { credential: { override: true } };
  t.equal(decided(revoked('alice-card'), given, 'disabled').reason, 'credential_revoked');
  t.equal(decided(revoked('alice-card'), {}, 'exit').outcome, 'deny');
});

t.test('a revocation that lands while a grant goes to disk is seen at the instant of release', async (t) => {
  const grant = decided(revoked());
  t.equal(grant.outcome, 'grant');
  t.equal(releaseObstacle(grant, policyOf(), { revocations: revoked() }), undefined);
  t.equal(releaseObstacle(grant, policyOf(), { revocations: revoked('alice-card') }), 'credential_revoked');
});

t.test('a decision that saw revocations replays from its entry without them', async (t) => {
  for (const revocations of [revoked(), revoked('alice-card')]) {
    const record = decodeEvent(encodeEvent(decisionRecord(decided(revocations))));
    if (!isKnownRecord(record) || !isDecision(record)) throw new Error('no decision');
    t.ok(replayEntry(record, policyOf()).isSame);
  }
});

t.test('an explanation names the revocation', async (t) => {
  t.match(explain(decisionRecord(decided(revoked('alice-card')))).join('\n'), 'revocation 5 had ended this card');
  t.match(explain(decisionRecord(decided(revoked()))).join('\n'), 'the newest revocation was 7, and none');
});

t.test('where nothing was ever revoked, a decision records nothing of it', async (t) => {
  const decision = decided({ newest: 0, of: () => undefined });
  t.notOk('revocations' in decision.inputs);
});

t.test('an emergency credential that was revoked, or whose holder was, is worth nothing', async (t) => {
  const view: EmergencyView = {
    revision: 'r1',
    cardFormats: [{ format: 'h10301' }],
    accessPoint: (id) => ACCESS_POINTS.find((accessPoint) => accessPoint.id === id),
    emergencyCredential: () => ({ credentialId: 'fire-brigade', holderId: 'fred' }),
  };
  const emergency = (revocations: RevocationView) => decideEmergency(REQUEST, view, { ...CONTEXT, revocations });
  t.match(emergency(revoked('fire-brigade')), { outcome: 'deny', reason: 'credential_revoked' });
  t.match(emergency(revoked(undefined, 'fred')), { outcome: 'deny', alarms: ['credential.alarm'] });
  t.match(emergency(revoked()), { outcome: 'grant', inputs: { revocations: { newest: NEWEST } } });
});
