import t from 'tap';
import { TELL_AGAIN_MS, TELL_PAUSE_MS, Teller } from '@sparc/edge/mesh';
import { VirtualClock } from '@sparc/simulator/world';

function telling() {
  const clock = new VirtualClock();
  const toldAtMs: number[] = [];
  const startedAtMs = clock.monotonicMs();
  const teller = new Teller(clock, () => toldAtMs.push(clock.monotonicMs() - startedAtMs));
  return { clock, toldAtMs, teller };
}

t.test('what changes within a second is told together, however often it changes', async (t) => {
  const { clock, toldAtMs, teller } = telling();
  for (let change = 0; change < 25; change += 1) {
    teller.hurry();
    await clock.advance(100);
  }
  t.same(toldAtMs, [TELL_PAUSE_MS, 2 * TELL_PAUSE_MS]);
});

t.test('links are told again every half minute', async (t) => {
  const { clock, toldAtMs, teller } = telling();
  teller.hurry();
  await clock.advance(TELL_PAUSE_MS + 2 * TELL_AGAIN_MS);
  t.same(
    toldAtMs,
    [0, 1, 2].map((turn) => TELL_PAUSE_MS + turn * TELL_AGAIN_MS),
  );
});

t.test('nothing is told after the end', async (t) => {
  const { clock, toldAtMs, teller } = telling();
  teller.hurry();
  teller.stop();
  teller.hurry();
  await clock.advance(2 * TELL_AGAIN_MS);
  t.same(toldAtMs, []);
});
