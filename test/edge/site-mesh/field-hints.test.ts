import t from 'tap';
import { FieldHints } from '@sparc/edge/site-mesh';
import { VirtualClock } from '@sparc/simulator/world';

function scene() {
  const clock = new VirtualClock();
  const told: string[] = [];
  let heard: readonly string[] = [];
  const hints = new FieldHints({
    clock,
    heard: () => heard,
    onStored: () => told.push(`stored at ${clock.monotonicMs()}`),
    onReach: (keys) => told.push(`reaches ${keys.join()}`),
  });
  return { clock, told, hints, hear: (...keys: readonly string[]) => (heard = keys) };
}

t.test('the field is told of the first that came at once, and of all that follow closely once', async (t) => {
  const { clock, told, hints } = scene();
  for (let count = 0; count < 5; count += 1) hints.stored();
  await clock.advance(1);
  hints.stored();
  await clock.advance(8);
  t.strictSame(told, ['stored at 0']);
  await clock.advance(100);
  t.strictSame(told, ['stored at 0', 'stored at 10']);
  hints.stored();
  t.equal(told.at(-1), 'stored at 109', 'after a pause at once again');
  hints.stored();
  hints.stop();
  await clock.advance(1_000);
  t.equal(told.length, 3);
});

t.test('who is reached is told when it changes, and that nobody is once all is over', async (t) => {
  const { clock, told, hints, hear } = scene();
  hints.start();
  await clock.advance(2_000);
  t.strictSame(told, []);
  hear('b', 'a');
  hints.lookAtReach();
  hear('a', 'b');
  await clock.advance(2_000);
  t.strictSame(told, ['reaches a,b']);
  hear('a');
  await clock.advance(600);
  t.strictSame(told.slice(1), ['reaches a'], 'also without a sign of it');
  hints.stop();
  t.strictSame(told.slice(2), ['reaches ']);
  hear('b');
  await clock.advance(2_000);
  t.equal(told.length, 3);
});
