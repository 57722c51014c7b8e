import t from 'tap';
import { LOGIN_FREE_FAILURES, LOGIN_WAIT_MAX_MS, LOGIN_WAIT_MIN_MS, LoginPace } from '@sparc/cloud-sync/users';
import { VirtualClock } from '@sparc/simulator/world';

t.test(
  'whoever fails again and again waits twice as long each time, up to a limit, and nobody else does',
  async (t) => {
    const clock = new VirtualClock();
    const pace = new LoginPace(clock);
    for (let count = 1; count < LOGIN_FREE_FAILURES; count += 1) pace.failed('eve');
    t.equal(pace.waitMs('eve'), 0);
    const waits: number[] = [];
    for (let count = 0; count < 14; count += 1) {
      pace.failed('eve');
      waits.push(pace.waitMs('eve'));
      await clock.advance(pace.waitMs('eve'));
      t.equal(pace.waitMs('eve'), 0);
    }
    t.strictSame(
      waits.slice(0, 4),
      [1, 2, 4, 8].map((times) => times * LOGIN_WAIT_MIN_MS),
    );
    t.equal(waits.at(-1), LOGIN_WAIT_MAX_MS);
    t.equal(pace.waitMs('ada'), 0);
    pace.succeeded('eve');
    pace.failed('eve');
    t.equal(pace.waitMs('eve'), 0, 'and begins anew');
  },
);
