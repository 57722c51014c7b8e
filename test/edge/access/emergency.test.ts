import t from 'tap';
import {
  decideEmergency,
  decisionRecord,
  isDecision,
  replayEmergencyEntry,
  type EmergencyView,
} from '@sparc/edge/access';
import { ACCESS_POINTS, cardBits, CONTEXT, REQUEST } from './scene.js';

const view: EmergencyView = {
  revision: 'r1',
  cardFormats: [{ format: 'h10301' }],
  accessPoint: (id) => ACCESS_POINTS.find((accessPoint) => accessPoint.id === id),
  emergencyCredential: (key, accessPointId) =>
    key === 'h10301:1:42' && ['entry', 'disabled', 'vault-exit'].includes(accessPointId)
      ? { credentialId: 'fire-brigade' }
      : undefined,
};

t.test('an emergency credential is granted under no_policy, with an event of its own', async (t) => {
  const decision = decideEmergency(REQUEST, view, CONTEXT);
  t.match(decision, { outcome: 'grant', credentialId: 'fire-brigade', reason: undefined });
  t.match(decisionRecord(decision), { name: 'access.granted.emergency', card: { cardNumber: '42' } });
});

t.test('a disabled access point stays disabled, and the direction is recorded', async (t) => {
  t.match(decideEmergency({ ...REQUEST, accessPointId: 'disabled' }, view, CONTEXT), { outcome: 'deny' });
  t.match(decideEmergency({ ...REQUEST, accessPointId: 'vault-exit' }, view, CONTEXT), {
    outcome: 'grant',
    inputs: { direction: 'exit' },
  });
});

t.test('whatever else is presented is denied as no_policy', async (t) => {
  const reasonOf = (...args: Parameters<typeof decideEmergency>) => decideEmergency(...args).reason;
  t.equal(reasonOf({ ...REQUEST, card: cardBits('h10301', 1, 43) }, view, CONTEXT), 'no_policy');
  t.equal(reasonOf({ ...REQUEST, accessPointId: 'exit' }, view, CONTEXT), 'no_policy');
  t.equal(reasonOf({ ...REQUEST, readAgeMs: 2_001 }, view, CONTEXT), 'no_policy');
  t.equal(reasonOf({ ...REQUEST, link: { secure: false, tampered: false } }, view, CONTEXT), 'no_policy');
  t.equal(reasonOf({ ...REQUEST, link: { secure: true, tampered: true } }, view, CONTEXT), 'no_policy');
  t.equal(reasonOf(REQUEST, view, { ...CONTEXT, doorMode: 'lockedDown' }), 'no_policy');
  t.equal(reasonOf(REQUEST, view, { ...CONTEXT, interlockBusy: true }), 'no_policy');
  const misread = cardBits('h10301', 1, 42);
  misread.bits[1] = (misread.bits[1] ?? 0) ^ 1;
  t.equal(reasonOf({ ...REQUEST, card: misread }, view, CONTEXT), 'no_policy');
});

t.test('an error on the way is a denial', async (t) => {
  const broken = {
    ...view,
    emergencyCredential: () => {
      throw new Error('bad file');
    },
  };
  t.match(decideEmergency(REQUEST, broken, CONTEXT), { outcome: 'deny', reason: 'internal_error' });
});

t.test(
  'where an access point says so, a facility code alone opens under no_policy, and it is nobody that enters',
  async (t) => {
    const degraded: EmergencyView = {
      ...view,
      accessPoint: (id) => {
        const accessPoint = ACCESS_POINTS.find((each) => each.id === id);
        return accessPoint && { ...accessPoint, degradedFacilityCodes: [1, 9] };
      },
    };
    const decide = (number: number, facility = 1, more: Partial<typeof CONTEXT> = {}) =>
      decideEmergency({ ...REQUEST, card: cardBits('h10301', facility, number) }, degraded, { ...CONTEXT, ...more });
    const record = decisionRecord(decide(43));
    t.match(record, { name: 'access.granted.facility', card: { cardNumber: '43', bitCount: 26 } });
    t.ok(record.card.bits.length > 0, 'raw bits are kept');
    t.equal(record.credentialId, undefined);
    t.equal(decisionRecord(decide(42)).name, 'access.granted.emergency', 'whose card is known is named');
    t.equal(decide(43, 2).reason, 'no_policy', 'another facility');
    t.equal(decide(43, 1, { doorMode: 'lockedDown' }).reason, 'no_policy');
    t.equal(decideEmergency({ ...REQUEST, card: cardBits('h10301', 1, 43) }, view, CONTEXT).reason, 'no_policy');
    const unknownFormat = { bitCount: 40, bits: new Uint8Array([1, 2, 3, 4, 5]) };
    t.equal(decideEmergency({ ...REQUEST, card: unknownFormat }, degraded, CONTEXT).reason, 'no_policy');
  },
);

t.test('what else stands in the way without a policy is kept, and each decision can be made again', async (t) => {
  const alsoFailed = (request: Partial<typeof REQUEST>, more: Partial<typeof CONTEXT> = {}) => {
    const decision = decideEmergency({ ...REQUEST, ...request }, view, { ...CONTEXT, ...more });
    const record = { ...decisionRecord(decision), accessPointId: decision.accessPointId };
    t.ok(isDecision(record) && replayEmergencyEntry(record, view).isSame);
    t.match(decision.inputs, { policyRevision: 'r1', withoutPolicy: true });
    return decision.alsoFailed;
  };
  t.same(alsoFailed({}), []);
  t.same(alsoFailed({}, { doorMode: 'lockedDown', interlockBusy: true }), ['lockdown', 'interlock_busy']);
  t.same(alsoFailed({ readAgeMs: 2_001 }), ['read_too_old']);
  t.same(alsoFailed({ link: { secure: false, tampered: false } }), ['reader_untrusted']);
  t.same(alsoFailed({ card: cardBits('h10301', 1, 43), accessPointId: 'disabled' }), [
    'point_disabled',
    'credential_unknown',
  ]);
});
