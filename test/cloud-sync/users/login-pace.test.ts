import t from 'tap';
import {
  addressBlock,
  LOGIN_ADDRESS_FORGIVEN_MS,
  LOGIN_CHECK_WAIT_MAX_MS,
  LOGIN_CHECKS_ADDRESS_MAX,
  LOGIN_CHECKS_MAX,
  LOGIN_FREE_FAILURES,
  LOGIN_WAIT_MAX_MS,
  LOGIN_WAIT_MIN_MS,
  LoginPace,
  LoginSlots,
} from '@sparc/cloud-sync/users';
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

t.test('of an address failures are forgotten, so that nobody keeps a whole house out', async (t) => {
  const clock = new VirtualClock();
  const pace = new LoginPace(clock, { free: 3, forgivenMs: LOGIN_ADDRESS_FORGIVEN_MS });
  for (let count = 0; count < 3; count += 1) pace.failed('house');
  t.equal(pace.waitMs('house'), LOGIN_WAIT_MIN_MS);
  await clock.advance(LOGIN_ADDRESS_FORGIVEN_MS);
  pace.failed('house');
  t.equal(pace.waitMs('house'), LOGIN_WAIT_MIN_MS, 'one was forgotten, and one more came');
  await clock.advance(4 * LOGIN_ADDRESS_FORGIVEN_MS);
  pace.failed('house');
  t.equal(pace.waitMs('house'), 0);
});

t.test('one address never has all places for checks, and who finds none waits a second for one', async (t) => {
  const clock = new VirtualClock();
  const slots = new LoginSlots(clock);
  const taken = await Promise.all(Array.from({ length: LOGIN_CHECKS_ADDRESS_MAX }, () => slots.take('eve')));
  const [waiting, late] = [slots.take('eve'), slots.take('eve')];
  t.type(await slots.take('ada'), 'function', 'another address does not wait');
  taken[0]?.();
  t.type(await waiting, 'function', 'who waited has the place that came free');
  await clock.advance(LOGIN_CHECK_WAIT_MAX_MS);
  t.equal(await late, undefined);
  for (let count = LOGIN_CHECKS_ADDRESS_MAX + 1; count < LOGIN_CHECKS_MAX; count += 1)
    await slots.take(`other ${count}`);
  const none = slots.take('bob');
  await clock.advance(LOGIN_CHECK_WAIT_MAX_MS);
  t.equal(await none, undefined, 'and all of them are bounded');
});

t.test('of IPv6 an address is the first 64 bits', async (t) => {
  t.equal(addressBlock('192.0.2.1'), '192.0.2.1');
  t.equal(addressBlock('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(addressBlock('2001:db8::1'), addressBlock('2001:0DB8:0:0:ffff::2'));
  t.equal(addressBlock('2001:db8:0:1::1'), '2001:db8:0:1');
  t.not(addressBlock('2001:db8:0:1::1'), addressBlock('2001:db8:0:2::1'));
  t.equal(addressBlock('::1'), '0:0:0:0');
});
