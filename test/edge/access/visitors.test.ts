import t from 'tap';
import {
  decide,
  decisionRecord,
  isDecision,
  releaseObstacle,
  replayEntry,
  type DecisionContext,
  type Visitor,
} from '@sparc/edge/access';
import { rawKey } from '@sparc/protocol/card-format';
import { decodeEvent, encodeEvent, isKnownRecord } from '@sparc/protocol/ledger';
import { MemoryPolicyView, type MemoryPolicy } from '../../support/memory-policy-view.js';
import { ACCESS_POINTS, ALICE, cardBits, CONTEXT, NOON_UNIX_MS, REQUEST } from './scene.js';

const CARD = cardBits('h10301', 1, 7);
const HOUR_MS = 3_600_000;

const GUEST: Visitor = {
  id: 'guest-7',
  profiles: ['guests'],
  fromUnixMs: NOON_UNIX_MS - HOUR_MS,
  untilUnixMs: NOON_UNIX_MS + HOUR_MS,
};

const viewOf = (policy: Partial<MemoryPolicy> = {}): MemoryPolicyView =>
  new MemoryPolicyView({
    accessPoints: ACCESS_POINTS,
    schedules: [],
    credentials: [ALICE],
    profiles: { guests: { entry: 'always', 'pin-entry': 'always' } },
    ...policy,
  });

const known = (visitor: Visitor): Partial<DecisionContext> => ({
  visitors: { visitorOf: (key) => (key === 'h10301:1:7' ? visitor : undefined) },
});

/** The answer, after its record went through the codec and gave it again. */
function answer(
  visitor: Visitor,
  policy: Partial<MemoryPolicy> = {},
  more: Partial<DecisionContext> = {},
  at = 'entry',
) {
  const view = viewOf(policy);
  const context = { ...CONTEXT, ...known(visitor), ...more };
  const decision = decide({ ...REQUEST, card: CARD, accessPointId: at }, view, context);
  const record = decodeEvent(encodeEvent(decisionRecord(decision)));
  if (!isKnownRecord(record) || !isDecision(record) || !replayEntry(record, view).isSame) {
    throw new Error('its record does not give it again');
  }
  return `${decision.credentialId ?? 'nobody'} ${decision.reason ?? decision.outcome}`;
}

t.test('a visitor enters by the profiles that were named, and nowhere else', async (t) => {
  t.equal(answer(GUEST), 'guest-7 grant');
  t.equal(answer(GUEST, { profiles: { guests: { 'pin-entry': 'always' } } }), 'guest-7 no_right');
  t.equal(answer({ ...GUEST, profiles: ['unheard-of'] }), 'guest-7 no_right');
  t.equal(answer(GUEST, {}, {}, 'pin-entry'), 'guest-7 factor_missing', 'a visitor has no PIN');
  t.equal(answer(GUEST, {}, { visitors: { visitorOf: () => undefined } }), 'nobody credential_unknown');
});

t.test('a visitor enters from the first instant until the last, which is not in it', async (t) => {
  t.equal(answer({ ...GUEST, fromUnixMs: NOON_UNIX_MS }), 'guest-7 grant');
  t.equal(answer({ ...GUEST, fromUnixMs: NOON_UNIX_MS + 1 }), 'guest-7 not_yet_valid');
  t.equal(answer({ ...GUEST, untilUnixMs: NOON_UNIX_MS + 1 }), 'guest-7 grant');
  t.equal(answer({ ...GUEST, untilUnixMs: NOON_UNIX_MS }), 'guest-7 expired');
});

t.test('whatever the policy says of the card or of the id outranks the visitor', async (t) => {
  const other = { ...ALICE, id: 'lost-card', holderId: 'bob', status: 'lost' as const, rights: {} };
  t.equal(answer(GUEST, { credentials: [{ ...other, keys: ['h10301:1:7'] }] }), 'lost-card credential_lost');
  const byItsBits = rawKey(CARD.bits, CARD.bitCount);
  t.equal(answer(GUEST, { credentials: [{ ...other, keys: [byItsBits] }] }), 'lost-card credential_lost');
  t.equal(answer(GUEST, { credentials: [{ ...other, id: 'guest-7' }] }), 'nobody credential_unknown');
  t.equal(answer(GUEST, { credentials: [{ ...other, holderId: 'guest-7' }] }), 'nobody credential_unknown');
});

t.test('a revocation of its id ends a visitor, and lockdown keeps it out', async (t) => {
  const revocations = { newest: 1, of: (id: string) => (id === 'guest-7' ? 1 : undefined) };
  t.equal(answer(GUEST, {}, { revocations }), 'guest-7 credential_revoked');
  t.equal(answer(GUEST, {}, { doorMode: 'lockedDown' }), 'guest-7 lockdown');
});

t.test('a visitor who ends while the record goes to disk is not let in', async (t) => {
  const view = viewOf();
  const decision = decide({ ...REQUEST, card: CARD }, view, { ...CONTEXT, ...known(GUEST) });
  t.equal(releaseObstacle(decision, view, known(GUEST)), undefined);
  t.equal(releaseObstacle(decision, view, { visitors: { visitorOf: () => undefined } }), 'credential_unknown');
});
