import t from 'tap';
import type { WallTime } from '@sparc/protocol/ports';
import { decide, explain, decisionRecord, replay } from '@sparc/edge/access';
import { decodeEvent, encodeEvent, isKnownRecord } from '@sparc/protocol/ledger';
import { CONTEXT, NOON_UNIX_MS, policyOf, REQUEST, type Given } from './scene.js';

const HOUR_MS = 3_600_000;

const at = (wall: Partial<WallTime>, given: Given = {}) =>
  decide(REQUEST, policyOf(given), { ...CONTEXT, wall: { unixMs: NOON_UNIX_MS, quality: 'synced', ...wall } });

/** Of the scene: `day` is open from 08:00 to 18:00. */
const DAY_ENDS_UNIX_MS = NOON_UNIX_MS + 6 * HOUR_MS;
const DAY_BEGINS_UNIX_MS = NOON_UNIX_MS - 4 * HOUR_MS;

t.test('a right is open as far beyond its edges as the clock may err, and no further', async (t) => {
  const late = { quality: 'holdover', errorMs: 5_000 } as const;
  t.equal(at({ ...late, unixMs: DAY_ENDS_UNIX_MS + 4_999 }).outcome, 'grant');
  t.equal(at({ ...late, unixMs: DAY_ENDS_UNIX_MS + 5_000 }).reason, 'outside_schedule');
  t.equal(at({ ...late, unixMs: DAY_BEGINS_UNIX_MS - 5_000 }).outcome, 'grant');
  t.equal(at({ ...late, unixMs: DAY_BEGINS_UNIX_MS - 5_001 }).reason, 'outside_schedule');
  t.equal(at({ unixMs: DAY_ENDS_UNIX_MS }).reason, 'outside_schedule', 'a clock that is confirmed has exact edges');
});

t.test('the error of a clock that is not known widens nothing', async (t) => {
  t.equal(at({ quality: 'stepped', errorMs: HOUR_MS }).reason, 'outside_schedule');
  t.equal(at({ quality: 'unsynced', errorMs: HOUR_MS }).reason, 'outside_schedule');
});

t.test('on an unknown clock an access point does what it says', async (t) => {
  const stepped = { quality: 'stepped' } as const;
  const outcomes = (given: Given) =>
    (['alwaysOnly', 'denyScheduled', 'ignoreSchedules'] as const).map((onUnknownClock) => {
      const { outcome, reason, flags } = at(stepped, { ...given, onUnknownClock });
      return [outcome, reason, ...flags].filter((each) => each !== undefined).join(' ');
    });
  t.same(outcomes({}), ['deny outside_schedule', 'deny outside_schedule', 'grant outside_schedule']);
  t.same(outcomes({ schedule: 'always' }), ['grant', 'grant', 'grant']);
  t.equal(at({}, { onUnknownClock: 'denyScheduled' }).outcome, 'grant', 'and nothing else while the clock is known');
});

t.test('a clock that went back revives no credential that has expired', async (t) => {
  const expired = { schedule: 'always', credential: { validToUnixMs: NOON_UNIX_MS } };
  const back = { quality: 'stepped', unixMs: NOON_UNIX_MS - HOUR_MS } as const;
  t.equal(at({ ...back, floorUnixMs: NOON_UNIX_MS }, expired).reason, 'expired');
  t.equal(at({ ...back, floorUnixMs: NOON_UNIX_MS - 1 }, expired).outcome, 'grant');
});

t.test('a clock that ran ahead lets no credential begin before its time has surely come', async (t) => {
  const early = { schedule: 'always', credential: { validFromUnixMs: NOON_UNIX_MS } };
  const ahead = { unixMs: NOON_UNIX_MS + HOUR_MS, floorUnixMs: NOON_UNIX_MS - HOUR_MS } as const;
  t.equal(at({ ...ahead, quality: 'stepped' }, early).reason, 'not_yet_valid');
  t.equal(at({ ...ahead, quality: 'unsynced' }, { ...early, trustUnsyncedClock: true }).outcome, 'grant');
});

t.test('what a decision knew of the time is recorded, decides again, and is said in words', async (t) => {
  const given: Given = { onUnknownClock: 'ignoreSchedules', policyStaleness: { maxAgeMs: HOUR_MS, then: 'deny' } };
  const wall = { unixMs: NOON_UNIX_MS, quality: 'stepped', floorUnixMs: NOON_UNIX_MS + 1 } as const;
  const view = policyOf(given);
  const decision = decide(REQUEST, view, { ...CONTEXT, wall, policyAgeMs: 2 * HOUR_MS });
  const record = decodeEvent(encodeEvent(decisionRecord(decision)));
  t.match(record.inputs, { clockFloorUnixMs: NOON_UNIX_MS + 1, policyAgeMs: 2 * HOUR_MS });
  t.same(replay({ accessPointId: 'entry', card: REQUEST.card, inputs: decision.inputs }, view), decision);
  if (!isKnownRecord(record)) throw new Error('every name in it is of this version');
  const text = explain(record).join('\n');
  t.match(text, /^Because: .*\(policy_stale\)\.$/m);
  t.match(text, /^ {2}.*\(outside_schedule\)$/m);
  t.match(text, /clock stepped; surely not before 2026-03-04T12:00:00.001Z/);
  t.match(text, /its authority had confirmed it 2.0 hours before/);
});
