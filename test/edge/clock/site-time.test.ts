import fc from 'fast-check';
import t from 'tap';
import { AGREE_MS, siteTime } from '@sparc/edge/clock';
import { TIME_QUALITIES, type NeighbourTime, type TimeQuality } from '@sparc/protocol/ports';
import { checkProperty } from '../../support/property.js';

const NOW_MS = Date.UTC(2026, 2, 4, 12);
const UNKNOWN = { offsetMs: 0, quality: 'unsynced' } as const;

const time = (offsetMs: number, quality: TimeQuality = 'synced', errorMs = 10): NeighbourTime => ({
  neighbour: 'n',
  offsetMs,
  quality,
  errorMs,
});
const heard = (...times: NeighbourTime[]) => ({ othersCount: 15, times });

t.test('the middle one of those that know the time counts, with a bound that holds for each honest one', async (t) => {
  t.same(siteTime(heard(time(NOW_MS), time(NOW_MS + 30, 'holdover', 500), time(NOW_MS + 40)), UNKNOWN), {
    offsetMs: NOW_MS + 30,
    errorMs: 40,
  });
});

t.test('it takes two, unless the site has no more than two gateways', async (t) => {
  t.equal(siteTime(heard(time(NOW_MS)), UNKNOWN), undefined);
  t.match(siteTime({ othersCount: 1, times: [time(NOW_MS)] }, UNKNOWN), { offsetMs: NOW_MS });
  t.match(siteTime(heard(time(NOW_MS), time(NOW_MS + AGREE_MS)), UNKNOWN), { offsetMs: NOW_MS });
  t.equal(siteTime(heard(time(NOW_MS), time(NOW_MS + AGREE_MS + 11)), UNKNOWN)?.errorMs, undefined);
});

t.test('it takes half of those that are reached, be it that they only find it probable', async (t) => {
  const asleep = time(NOW_MS - 1e9, 'unsynced');
  t.equal(siteTime(heard(time(NOW_MS), time(NOW_MS), asleep, asleep, asleep), UNKNOWN)?.errorMs, undefined);
  t.match(siteTime(heard(time(NOW_MS), time(NOW_MS + 900, 'unsynced'), asleep, asleep), UNKNOWN), { errorMs: 10 });
});

t.test('a clock that was set against what it knew has no voice', async (t) => {
  t.equal(siteTime(heard(time(NOW_MS), time(NOW_MS, 'stepped')), UNKNOWN), undefined);
});

t.test('where nobody knows the time all go by the middle one of their clocks, from three on', async (t) => {
  const [a, b, c] = [time(NOW_MS, 'unsynced'), time(NOW_MS + 9_000, 'unsynced'), time(NOW_MS + 5_000, 'unsynced')];
  t.same(siteTime(heard(b, c), { ...UNKNOWN, offsetMs: NOW_MS }), { offsetMs: NOW_MS + 5_000 });
  t.same(siteTime(heard(a, b), { ...UNKNOWN, offsetMs: NOW_MS + 5_000 }), { offsetMs: NOW_MS + 5_000 });
  t.equal(siteTime(heard(a), { ...UNKNOWN, offsetMs: NOW_MS + 5_000 }), undefined);
});

t.test('a clock that is known to be wrong goes by those that may be right, if they agree', async (t) => {
  const wrong = { offsetMs: 0, quality: 'stepped' } as const;
  t.same(siteTime(heard(time(NOW_MS, 'unsynced'), time(NOW_MS + 1_000, 'unsynced')), wrong), { offsetMs: NOW_MS });
  t.equal(siteTime(heard(time(NOW_MS, 'unsynced'), time(NOW_MS + 9_000, 'unsynced')), wrong), undefined);
});

t.test('one that lies never moves the time, and never makes the bound untrue', async (t) => {
  const honest = fc.record({
    errorMs: fc.integer({ min: 0, max: 13_000 }),
    share: fc.double({ min: -1, max: 1, noNaN: true }),
    quality: fc.constantFrom('synced' as const, 'holdover' as const),
  });
  const lie = fc.record({
    offsetMs: fc.oneof(
      fc.integer({ min: NOW_MS - 30_000, max: NOW_MS + 30_000 }),
      fc.integer({ min: 0, max: 2 * NOW_MS }),
    ),
    errorMs: fc.oneof(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 0, max: NOW_MS })),
    quality: fc.constantFrom(...TIME_QUALITIES),
  });
  checkProperty(
    fc.property(fc.array(honest, { minLength: 2, maxLength: 15 }), lie, fc.nat(15), (honests, lied, at) => {
      // Of each honest one the true time, NOW_MS, is within its bound.
      const told = honests.map(({ errorMs, share, quality }) => time(NOW_MS + share * errorMs, quality, errorMs));
      const site = siteTime(
        heard(...told.slice(0, at), time(lied.offsetMs, lied.quality, lied.errorMs), ...told.slice(at)),
        UNKNOWN,
      );
      if (site?.errorMs === undefined) return;
      const offsets = told.map(({ offsetMs }) => offsetMs);
      const reachMs = AGREE_MS + Math.max(...told.map(({ errorMs }) => errorMs));
      const isWithin =
        site.offsetMs >= Math.min(...offsets) - reachMs && site.offsetMs <= Math.max(...offsets) + reachMs;
      if (!isWithin) throw new Error(`moved to ${site.offsetMs - NOW_MS} ms`);
      if (Math.abs(site.offsetMs - NOW_MS) > site.errorMs) {
        throw new Error(`${site.offsetMs - NOW_MS} ms off, and said ${site.errorMs}`);
      }
    }),
  );
  t.pass();
});

t.test('where nobody knows the time one that lies moves it no further than an honest clock is', async (t) => {
  const drifted = fc.integer({ min: NOW_MS - 60_000, max: NOW_MS + 60_000 });
  checkProperty(
    fc.property(drifted, fc.array(drifted, { minLength: 2, maxLength: 14 }), fc.nat(2 * NOW_MS), (own, others, lie) => {
      const voices = [lie, ...others].map((offsetMs) => time(offsetMs, 'unsynced'));
      const site = siteTime(heard(...voices), { offsetMs: own, quality: 'unsynced' });
      const honest = [own, ...others];
      if (site === undefined || site.errorMs !== undefined) throw new Error('three clocks have a middle');
      if (site.offsetMs < Math.min(...honest) || site.offsetMs > Math.max(...honest)) throw new Error('it was moved');
    }),
  );
  t.pass();
});
