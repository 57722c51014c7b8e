import t from 'tap';
import { MEASUREMENTS_KEPT, NeighbourTimes } from '@sparc/edge/mesh';

const UNIX_MS = 1_700_000_000_000;

function setUp() {
  let uptimeMs = 0;
  const times = new NeighbourTimes(() => uptimeMs);
  /** A neighbour whose clock is `offsetMs` ahead of the uptime; the pong takes `backMs` of the round trip. */
  const measure = (offsetMs: number, roundTripMs: number, backMs = roundTripMs / 2) => {
    uptimeMs += 1_000;
    times.take('a', { unixMs: uptimeMs - backMs + offsetMs, quality: 'synced' }, roundTripMs);
  };
  return { times, measure };
}

t.test('of the last eight round trips the shortest counts', async (t) => {
  const { times, measure } = setUp();
  measure(UNIX_MS, 4);
  measure(UNIX_MS, 400, 390);
  t.match(times.all(), [{ neighbour: 'a', offsetMs: UNIX_MS, quality: 'synced' }]);
  for (let count = 1; count < MEASUREMENTS_KEPT; count += 1) measure(UNIX_MS, 400, 390);
  t.match(times.all(), [{ offsetMs: UNIX_MS - 190 }], 'it is not among them any more');
});

t.test('however a round trip is divided, its bound holds', async (t) => {
  for (const backMs of [0, 10, 50, 90, 100]) {
    const { times, measure } = setUp();
    measure(UNIX_MS, 100, backMs);
    const [{ offsetMs, errorMs } = { offsetMs: 0, errorMs: 0 }] = times.all();
    t.ok(Math.abs(offsetMs - UNIX_MS) <= errorMs);
    t.ok(errorMs < 100);
  }
});

t.test('a clock that is set is believed at the next pong', async (t) => {
  const { times, measure } = setUp();
  measure(UNIX_MS, 4);
  measure(UNIX_MS + 60_000, 40);
  t.match(times.all(), [{ offsetMs: UNIX_MS + 60_000 }]);
});

t.test('what no clock can show is dropped, and whoever is gone is forgotten', async (t) => {
  const { times, measure } = setUp();
  for (const unixMs of [-1, Infinity, 2 ** 48 + 1]) times.take('a', { unixMs, quality: 'synced' }, 1);
  times.take('a', { unixMs: 1, quality: 'synced', errorMs: -1 }, 1);
  times.take('a', { unixMs: 1, quality: 'synced', errorMs: Infinity }, 1);
  t.same(times.all(), []);
  measure(UNIX_MS, 4);
  times.forget('a');
  t.same(times.all(), []);
});
