import t from 'tap';
import { LIFE_INTERVAL_MS, LifeWatch, UNANSWERED_AT_START_MAX, UNANSWERED_MAX } from '@sparc/edge/platform';
import { VirtualClock } from '@sparc/simulator/world';

function watching() {
  const clock = new VirtualClock();
  const told = { askedCount: 0, silentCount: 0 };
  const life = new LifeWatch(clock, {
    ask: () => (told.askedCount += 1),
    onSilent: () => (told.silentCount += 1),
  });
  life.start();
  return { clock, life, told };
}

t.test('a part that answers is asked on and on, and one that does not is told once to hang', async (t) => {
  const { clock, life, told } = watching();
  for (let count = 1; count <= 10; count += 1) {
    t.equal(told.askedCount, count);
    life.answered();
    await clock.advance(LIFE_INTERVAL_MS);
  }
  await clock.advance((UNANSWERED_MAX - 1) * LIFE_INTERVAL_MS - 1);
  t.equal(told.silentCount, 0);
  await clock.advance(10 * LIFE_INTERVAL_MS);
  t.same(told, { askedCount: 10 + UNANSWERED_MAX, silentCount: 1 });
  life.start();
  await clock.advance(UNANSWERED_AT_START_MAX * LIFE_INTERVAL_MS - 1);
  t.equal(told.silentCount, 1, 'the next one has time to start');
  await clock.advance(1);
  t.equal(told.silentCount, 2, 'and is watched like the first');
});

t.test('one late answer is enough, and whoever is stopped asks nobody', async (t) => {
  const { clock, life, told } = watching();
  life.answered();
  await clock.advance(UNANSWERED_MAX * LIFE_INTERVAL_MS - 1);
  life.answered();
  await clock.advance(UNANSWERED_MAX * LIFE_INTERVAL_MS - 1);
  t.equal(told.silentCount, 0);
  life.stop();
  const { askedCount } = told;
  await clock.advance(10 * LIFE_INTERVAL_MS);
  t.same(told, { askedCount, silentCount: 0 });
});
