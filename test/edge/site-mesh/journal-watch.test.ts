import t from 'tap';
import { JournalWatch, LOOK_INTERVAL_MS, LOOK_PAUSE_MS } from '@sparc/edge/site-mesh';
import { VirtualClock } from '@sparc/simulator/world';

function setUp() {
  const clock = new VirtualClock();
  const looksAtMs: number[] = [];
  const watch = new JournalWatch(clock, () => looksAtMs.push(clock.monotonicMs()));
  return { clock, looksAtMs, watch };
}

t.test('the journal is looked at each second, whatever the field tells', async (t) => {
  const { clock, looksAtMs, watch } = setUp();
  watch.start();
  await clock.advance(3 * LOOK_INTERVAL_MS);
  t.strictSame(looksAtMs, [LOOK_INTERVAL_MS, 2 * LOOK_INTERVAL_MS, 3 * LOOK_INTERVAL_MS]);
});

t.test(
  'when the field recorded something the journal is looked at at once, and for many entries a few times',
  async (t) => {
    const { clock, looksAtMs, watch } = setUp();
    watch.start();
    await clock.advance(100);
    watch.hurry();
    watch.hurry();
    await clock.settle();
    await clock.advance(0);
    t.strictSame(looksAtMs, [100]);
    for (let count = 0; count < 20; count++) {
      watch.hurry();
      await clock.advance(1);
    }
    await clock.advance(LOOK_PAUSE_MS);
    t.equal(looksAtMs.length, 1 + 20 / LOOK_PAUSE_MS);
  },
);

t.test('a watch that was stopped looks no more, and one that was not started does not begin', async (t) => {
  const { clock, looksAtMs, watch } = setUp();
  watch.hurry();
  await clock.advance(2 * LOOK_INTERVAL_MS);
  watch.start();
  watch.hurry();
  watch.stop();
  watch.hurry();
  await clock.advance(2 * LOOK_INTERVAL_MS);
  t.same(looksAtMs, []);
});
