import t from 'tap';
import { decide, decisionRecord, denied, explain, isDecision, replayEntry, type Decision } from '@sparc/edge/access';
import { CONTEXT, policyOf, REQUEST, type Given } from './scene.js';

const decision = (accessPointId: string, given: Given = {}, pin?: string) =>
  decide({ ...REQUEST, accessPointId, ...(pin !== undefined && { pin }) }, policyOf(given), CONTEXT);

function replayed(decided: Decision, given: Given = {}) {
  const record = decisionRecord(decided);
  if (!isDecision(record)) throw new Error('no decision');
  return replayEntry(record, policyOf(given));
}

t.test('a grant, a denial with several reasons, a flagged exit and a wait for a PIN replay the same', async (t) => {
  t.ok(replayed(decision('entry')).isSame);
  const given: Given = { credential: { holderStatus: 'suspended', validToUnixMs: 0 } };
  for (const point of ['entry', 'exit', 'disabled', 'pin-entry']) {
    t.ok(replayed(decision(point, given), given).isSame, point);
  }
  t.ok(replayed(decision('pin-entry')).isSame);
  t.ok(replayed(decision('pin-entry', {}, '0000')).isSame, 'without the PIN');
});

t.test('what befell a decision afterwards is believed', async (t) => {
  t.ok(replayed(denied(decision('entry'), 'record_timeout')).isSame);
  t.ok(replayed(denied(decision('pin-entry'), 'pin_required')).isSame, 'nobody typed a PIN');
  const suspended: Given = { credential: { holderStatus: 'suspended' } };
  t.ok(replayed(denied(decision('exit', suspended), 'race_lost'), suspended).isSame, 'with what was flagged');
});

t.test('a record that its inputs do not give is found', async (t) => {
  const { isSame, recorded, again } = replayed(decision('entry'), { credential: { status: 'stolen' } });
  t.notOk(isSame);
  t.match(recorded, { name: 'access.granted', alsoFailed: [] });
  t.match(again, { name: 'access.denied', reason: 'credential_stolen' });
  t.notOk(replayed(denied(decision('entry'), 'no_right')).isSame, 'a reason that was made up');
  const swapped = { ...decision('entry'), holderId: 'mallory' };
  t.notOk(replayed(swapped).isSame, 'another holder');
});

t.test('an explanation says who, the verdict, the reason, what else failed and what was known', async (t) => {
  const given: Given = { credential: { holderStatus: 'suspended', validToUnixMs: 0 } };
  const denial = explain(decisionRecord(decision('entry', given))).join('\n');
  t.match(denial, 'Credential alice-card of alice was denied access.');
  t.match(denial, 'Because: holder is suspended (holder_suspended).');
  t.match(denial, 'card has expired (expired)');
  t.match(denial, '2026-03-04T12:00:00.000Z (clock synced)');
  t.match(explain(decisionRecord(decision('exit', given)))[1], 'It was granted although:');
});
