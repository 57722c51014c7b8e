import t from 'tap';
import { Renewal, TRY_PAUSE_MS } from '@sparc/edge/uplink/mqtt';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-03-02T08:00:00Z');

function scene(seed: number) {
  const clock = new VirtualClock({ startUnixMs: START });
  let term = { notBeforeUnixMs: START, notAfterUnixMs: START + 90 * DAY_MS };
  let isAway = false;
  const [tries, renewals]: [number[], number[]] = [[], []];
  const daysSoFar = () => (clock.wall().unixMs - START) / DAY_MS;
  const renewal = new Renewal({
    clock,
    random: new SeededRandom(seed),
    term: () => term,
    renew: () => {
      tries.push(daysSoFar());
      if (isAway) return Promise.reject(new Error('away'));
      const { unixMs } = clock.wall();
      term = { notBeforeUnixMs: unixMs, notAfterUnixMs: unixMs + 90 * DAY_MS };
      return Promise.resolve();
    },
    onRenewed: () => renewals.push(daysSoFar()),
    onFailure: () => undefined,
  });
  return { clock, renewal, tries, renewals, goAway: (away: boolean) => (isAway = away) };
}

t.test(
  'certificates are renewed when two thirds of their time are over, each gateway at a time of its own',
  async (t) => {
    const days = new Set<number>();
    for (const seed of [1, 2, 3]) {
      const { clock, renewal, renewals } = scene(seed);
      renewal.start();
      await clock.advance(200 * DAY_MS);
      renewal.stop();
      const [first = 0, second = 0] = renewals;
      t.ok(first >= 60 && first <= 64.6, `${first} days`);
      t.ok(second - first >= 60 && second - first <= 64.6, `${second - first} days`);
      days.add(first);
    }
    t.equal(days.size, 3);
  },
);

t.test(
  'a cloud that is away is asked again and again, ever less often, and a certificate that ended is renewed as well',
  async (t) => {
    const { clock, renewal, tries, renewals, goAway } = scene(4);
    goAway(true);
    renewal.start();
    await clock.advance(120 * DAY_MS);
    t.ok(tries.length > 100, `${tries.length} tries`);
    const pauses = tries.slice(1).map((at, index) => (at - (tries[index] ?? 0)) * DAY_MS);
    t.ok(pauses.every((pauseMs) => pauseMs >= TRY_PAUSE_MS.first / 2 && pauseMs <= TRY_PAUSE_MS.max * 1.51));
    t.strictSame(renewals, []);
    goAway(false);
    await clock.advance(DAY_MS);
    t.equal(renewals.length, 1);
    renewal.stop();
    const count = tries.length;
    await clock.advance(100 * DAY_MS);
    t.equal(tries.length, count, 'nothing after the stop');
  },
);
