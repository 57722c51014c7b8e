import t from 'tap';
import {
  isLockedOut,
  LOCK_OUT_PAIRS_MAX,
  NO_LOCK_OUTS,
  recordPinTry,
  type LockOutState,
  type LockOutStep,
} from '@sparc/edge/access';

const RULES = { attemptsMax: 3, lockOutMs: 60_000 };

/** Wrong PINs unless marked `!`, as reader@milliseconds. */
function tries(...list: string[]): LockOutStep {
  let step: LockOutStep = { state: NO_LOCK_OUTS, lockedOut: false, alarm: false };
  for (const one of list) {
    const [readerId = '', ms] = one.replace('!', '').split('@');
    const pinTry = { credentialId: 'card', readerId, right: one.startsWith('!'), nowMs: Number(ms) };
    step = recordPinTry(step.state, pinTry, RULES);
  }
  return step;
}

t.test('the last allowed wrong PIN locks the credential out at that reader, for the stated time', async (t) => {
  t.equal(tries('a@0', 'a@1').lockedOut, false);
  const { state, lockedOut } = tries('a@0', 'a@1', 'a@2');
  t.equal(lockedOut, true);
  t.equal(isLockedOut(state, 'card', 'a', 2), true);
  t.equal(isLockedOut(state, 'card', 'a', 60_001), true);
  t.equal(isLockedOut(state, 'card', 'a', 60_002), false);
});

t.test('another reader and another credential are not locked out', async (t) => {
  const { state } = tries('a@0', 'a@1', 'a@2');
  t.equal(isLockedOut(state, 'card', 'b', 3), false);
  t.equal(isLockedOut(state, 'other', 'a', 3), false);
});

t.test('a right PIN forgets the wrong ones at its reader', async (t) => {
  t.equal(tries('a@0', 'a@1', '!a@2', 'a@3').lockedOut, false);
});

t.test('wrong PINs are forgotten after the lock-out time, counted from the last', async (t) => {
  t.equal(tries('a@0', 'a@1', 'a@60001').lockedOut, false);
  t.equal(tries('a@0', 'a@59000', 'a@100000').lockedOut, true);
});

t.test('wrong PINs of one credential from reader to reader raise an alarm and lock nobody out', async (t) => {
  t.match(tries('a@0', 'b@1'), { lockedOut: false, alarm: false });
  t.match(tries('a@0', 'b@1', 'c@2'), { lockedOut: false, alarm: true });
  t.match(tries('a@0', 'b@1', 'c@2', 'd@3'), { lockedOut: false, alarm: false });
  t.match(tries('a@0', 'a@1', 'a@2'), { lockedOut: true, alarm: false });
});

t.test('the alarm comes again while the guessing goes on, also where readers have different limits', async (t) => {
  t.match(tries('a@0', 'b@1', 'c@2', 'd@3', 'e@4', 'f@5'), { alarm: true });
  const lenient = { ...RULES, attemptsMax: 5 };
  let step: LockOutStep = tries();
  const alarms = ['a', 'a', 'a', 'b', 'c', 'd', 'e', 'f'].map((readerId, nowMs) => {
    const pinTry = { credentialId: 'card', readerId, right: false, nowMs };
    step = recordPinTry(step.state, pinTry, readerId === 'a' ? lenient : RULES);
    return step.alarm;
  });
  t.ok(alarms.includes(true));
});

t.test('the state is bounded, and the pair that would be forgotten first goes first', async (t) => {
  let state: LockOutState = NO_LOCK_OUTS;
  for (let nowMs = 0; nowMs <= LOCK_OUT_PAIRS_MAX; nowMs++) {
    const pinTry = { credentialId: `card-${nowMs}`, readerId: 'a', right: false, nowMs };
    state = recordPinTry(state, pinTry, { ...RULES, attemptsMax: 1 }).state;
  }
  t.equal(state.size, LOCK_OUT_PAIRS_MAX);
  t.equal(isLockedOut(state, 'card-0', 'a', 1_001), false);
  t.equal(isLockedOut(state, 'card-1', 'a', 1_001), true);
});
