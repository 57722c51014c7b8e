import fc from 'fast-check';
import t from 'tap';
import {
  compareHlc,
  followedHlc,
  HLC_AHEAD_MAX_MS,
  HLC_COUNTER_MAX,
  HLC_TOLERATED_MAX_MS,
  HLC_ZERO,
  mergeHlc,
  nextHlc,
  type Hlc,
} from '@sparc/protocol/hlc';
import { checkProperty } from '../../support/property.js';

const wall = fc.integer({ min: 0, max: 2 ** 47 });
const stamp: fc.Arbitrary<Hlc> = fc.record({ unixMs: wall, counter: fc.integer({ min: 0, max: HLC_COUNTER_MAX }) });

t.test('each local stamp is after the one before it, whatever wall time does', async (t) => {
  checkProperty(
    fc.property(fc.array(wall, { minLength: 2 }), (walls) => {
      let last = HLC_ZERO;
      return walls.every((unixMs) => {
        const next = nextHlc(last, unixMs);
        const after = compareHlc(next, last) > 0 && next.unixMs >= unixMs;
        last = next;
        return after;
      });
    }),
  );
  t.pass();
});

t.test('after a remote stamp was followed, local ones are after it', async (t) => {
  checkProperty(
    fc.property(stamp, stamp, wall, (last, remote, unixMs) => {
      const hlc = mergeHlc(last, remote, unixMs);
      const followed = followedHlc(remote, unixMs);
      if (followed === undefined) return remote.unixMs - unixMs > HLC_TOLERATED_MAX_MS && hlc === last;
      const isWhole = compareHlc(followed, remote) === 0 || remote.unixMs - unixMs >= HLC_AHEAD_MAX_MS;
      return isWhole && compareHlc(hlc, followed) > 0 && compareHlc(hlc, last) > 0;
    }),
  );
  t.pass();
});

t.test(
  'a remote stamp more than 120 s ahead of wall time is followed that far, and one more than 240 s not',
  async (t) => {
    const last = { unixMs: 1_000, counter: 4 };
    t.same(mergeHlc(last, { unixMs: 242_001, counter: 0 }, 2_000), last);
    t.same(mergeHlc(last, { unixMs: 242_000, counter: 9 }, 2_000), { unixMs: 122_000, counter: 1 });
    t.same(mergeHlc(last, { unixMs: 121_999, counter: 9 }, 2_000), { unixMs: 121_999, counter: 10 });
  },
);

t.test('a full counter borrows from the next millisecond', async (t) => {
  t.same(nextHlc({ unixMs: 5, counter: HLC_COUNTER_MAX }, 5), { unixMs: 6, counter: 0 });
});

t.test('a wall time that is no time of 48 bits does not stop the clock', async (t) => {
  for (const unixMs of [-1, 2 ** 60, 0.5]) t.ok(compareHlc(nextHlc({ unixMs: 7, counter: 0 }, unixMs), HLC_ZERO) > 0);
});

t.test(
  '72 hours of drift by 200 ppm either way leave every gateway within the bound, whoever speaks to whom',
  async (t) => {
    const [hoursCount, minutesAHour, ppm] = [72, 60, 200];
    const drift = fc.integer({ min: -ppm, max: ppm });
    const talk = fc.array(fc.tuple(fc.nat(15), fc.nat(15)), { minLength: 1, maxLength: 8 });
    checkProperty(
      fc.property(fc.array(drift, { minLength: 14, maxLength: 14 }), talk, (drifts, talks) => {
        const rates = [-ppm, ...drifts, ppm].map((each) => 1 + each / 1e6);
        const clocks: Hlc[] = rates.map(() => HLC_ZERO);
        for (let minute = 1; minute <= hoursCount * minutesAHour; minute += 1) {
          const wallOf = (at: number) => minute * 60_000 * (rates[at] ?? 1);
          for (const [from, to] of talks) {
            const sent = nextHlc(clocks[from] ?? HLC_ZERO, wallOf(from));
            clocks[from] = sent;
            if (followedHlc(sent, wallOf(to)) !== sent) return false;
            clocks[to] = mergeHlc(clocks[to] ?? HLC_ZERO, sent, wallOf(to));
          }
        }
        return true;
      }),
      20,
    );
    t.pass();
  },
);

t.test('a gateway whose clock is far ahead drags nobody along, however often it is heard', async (t) => {
  let honest: Hlc = { unixMs: 1_000_000, counter: 0 };
  for (let second = 0; second < 600; second += 1) {
    const wallMs = 1_000_000 + second * 1_000;
    const lie = { unixMs: wallMs + HLC_TOLERATED_MAX_MS + 1 + second, counter: 0 };
    honest = nextHlc(mergeHlc(honest, lie, wallMs), wallMs);
    if (honest.unixMs > wallMs) t.fail(`${honest.unixMs} at ${wallMs}`);
  }
  t.pass();
});
