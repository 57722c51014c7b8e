import { Value } from '@sinclair/typebox/value';
import t from 'tap';
import { TimesTold } from '@sparc/edge/api';
import type { TimesHeard } from '@sparc/edge/clock';
import { TIMES_INTERVAL_MS, TimeTeller, type MeshTime } from '@sparc/edge/site-mesh';
import type { NeighbourTime } from '@sparc/protocol/ports';
import { VirtualClock } from '@sparc/simulator/world';
import { TIMELESS } from '../../support/timeless.js';

const TIME: NeighbourTime = { neighbour: 'ab'.repeat(32), offsetMs: 1.7e12, quality: 'synced', errorMs: 22 };

t.test('what neighbours say of the time is told again and again, and nothing while none is here', async (t) => {
  const clock = new VirtualClock();
  const told: TimesHeard[] = [];
  let times: NeighbourTime[] = [];
  const time = { ...TIMELESS, tell: (heard: TimesHeard) => void told.push(heard) };
  const teller = new TimeTeller({ clock, times: () => times, othersCount: () => 2, time });
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

t.test('how far a neighbour is ahead is known where both clocks are', (t) => {
  const own = { unixMs: 1.7e12 + 5_000, quality: 'synced' } as const;
  const teller = (time: Partial<MeshTime>) =>
    new TimeTeller({
      clock: new VirtualClock(),
      times: () => [TIME],
      othersCount: () => 2,
      time: { ...TIMELESS, uptimeMs: () => 7_000.4, ...time },
    });
  t.equal(teller({ own: () => own }).aheadMs(TIME.neighbour), 2_000);
  t.equal(teller({ own: () => own }).aheadMs('cd'.repeat(32)), undefined);
  t.equal(teller({}).aheadMs(TIME.neighbour), undefined);
  t.end();
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
