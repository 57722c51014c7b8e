import { Value } from '@sinclair/typebox/value';
import t from 'tap';
import { TimesTold } from '@sparc/edge/api';
import type { TimesHeard } from '@sparc/edge/clock';
import { TIMES_INTERVAL_MS, TimeTeller } from '@sparc/edge/site-mesh';
import type { NeighbourTime } from '@sparc/protocol/ports';
import { VirtualClock } from '@sparc/simulator/world';

const TIME: NeighbourTime = { neighbour: 'ab'.repeat(32), offsetMs: 1.7e12, quality: 'synced', errorMs: 22 };

t.test('what neighbours say of the time is told again and again, and nothing while none is here', async (t) => {
  const clock = new VirtualClock();
  const told: TimesHeard[] = [];
  let times: NeighbourTime[] = [];
  const teller = new TimeTeller({ clock, times: () => times, othersCount: () => 2, tell: (heard) => told.push(heard) });
  teller.start();
  await clock.advance(TIMES_INTERVAL_MS);
  t.same(told, []);
  times = [TIME];
  await clock.advance(2 * TIMES_INTERVAL_MS);
  t.same(
    told,
    Array.from({ length: 2 }, () => ({ othersCount: 2, times: [TIME] })),
  );
  teller.stop();
  await clock.advance(2 * TIMES_INTERVAL_MS);
  t.equal(told.length, 2);
});

t.test('the field takes what has the shape of it, and no more than a site can say', async (t) => {
  const heard = { othersCount: 2, times: [TIME] };
  t.ok(Value.Check(TimesTold, JSON.parse(JSON.stringify(heard))));
  for (const wrong of [
    undefined,
    { ...heard, more: 1 },
    { ...heard, othersCount: 0 },
    { ...heard, times: Array.from({ length: 32 }, () => TIME) },
    { ...heard, times: [{ ...TIME, offsetMs: null }] },
    { ...heard, times: [{ ...TIME, offsetMs: 1e18 }] },
    { ...heard, times: [{ ...TIME, errorMs: -1 }] },
    { ...heard, times: [{ ...TIME, quality: 'certain' }] },
  ]) {
    t.notOk(Value.Check(TimesTold, wrong), JSON.stringify(wrong));
  }
});
