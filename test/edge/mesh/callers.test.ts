import t from 'tap';
import { CALLS_PACE, Callers, REFUSED_FOR_MS } from '@sparc/edge/mesh';
import { VirtualClock } from '@sparc/simulator/world';

const callers = (clock = new VirtualClock()) => new Callers(clock, (key) => key.startsWith('member'));

t.test('a member holds three connections at most, however many others have', async (t) => {
  const gate = callers();
  t.ok(gate.mayCall('member a', ['member a', 'member a', 'member b', 'member b', 'member b']));
  t.notOk(gate.mayCall('member a', ['member a', 'member a', 'member a']));
});

t.test('four strangers at a time may show a roster, and take no place from members', async (t) => {
  const gate = callers();
  const strangers = ['w', 'x', 'y', 'z'];
  t.ok(gate.mayCall('v', strangers.slice(1)));
  t.notOk(gate.mayCall('v', strangers));
  t.ok(gate.mayCall('member a', strangers));
  t.notOk(gate.mayCall('', []), 'a key of another kind is no key');
});

t.test('a member that calls and calls is heard once a second', async (t) => {
  const clock = new VirtualClock();
  const gate = callers(clock);
  const takenCount = () => Array.from({ length: 20 }, () => gate.mayCall('member a', [])).filter(Boolean).length;
  t.equal(takenCount(), CALLS_PACE.burst);
  await clock.advance(3_000);
  t.equal(takenCount(), 3);
  t.ok(gate.mayCall('member b', []), 'others are not its business');
});

t.test('whoever was refused is not taken for half a minute, or until there is a newer roster', async (t) => {
  const clock = new VirtualClock();
  const gate = callers(clock);
  gate.refuse('member a');
  await clock.advance(REFUSED_FOR_MS - 1);
  t.notOk(gate.mayCall('member a', []));
  await clock.advance(1);
  t.ok(gate.mayCall('member a', []));
  gate.refuse('x');
  gate.rosterChanged();
  t.ok(gate.mayCall('x', []));
});
