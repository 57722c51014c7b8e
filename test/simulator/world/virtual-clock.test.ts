import { VirtualClock } from '@sparc/simulator/world';
import t from 'tap';

t.test('timers run in order of their instant, then of their scheduling', async (t) => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  clock.setTimer(20, () => ran.push(`c@${clock.monotonicMs()}`));
  clock.setTimer(10, () => ran.push(`a@${clock.monotonicMs()}`));
  clock.setTimer(10, () => ran.push(`b@${clock.monotonicMs()}`));
  await clock.run(15);
  t.same(ran, ['a@10', 'b@10']);
  t.equal(clock.monotonicMs(), 15);
  await clock.advance(5);
  t.same(ran, ['a@10', 'b@10', 'c@20']);
});

t.test('a thousand timers set out of order run in order', async (t) => {
  const clock = new VirtualClock();
  const ran: number[] = [];
  for (let index = 0; index < 1000; index++) {
    const delayMs = (index * 7919) % 1000;
    clock.setTimer(delayMs, () => ran.push(delayMs));
  }
  await clock.run(1000);
  t.same(
    ran,
    Array.from({ length: 1000 }, (_, index) => index),
  );
});

t.test('a cancelled timer does not run', async (t) => {
  const clock = new VirtualClock();
  clock.setTimer(10, () => t.fail('cancelled')).cancel();
  await clock.run(100);
  t.equal(clock.nextTimerAtMs(), undefined);
});

t.test('promise reactions run to their end before the next timer', async (t) => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const chain = async () => {
    for (let index = 0; index < 50; index++) await Promise.resolve();
    ran.push('chain');
  };
  clock.setTimer(1, () => void chain());
  clock.setTimer(1, () => ran.push('next timer'));
  await clock.run(1);
  t.same(ran, ['chain', 'next timer']);
});

t.test('a step of wall time leaves monotonic time alone', async (t) => {
  const clock = new VirtualClock({ startUnixMs: 1_000 });
  await clock.run(500);
  clock.stepWall(-200, 'stepped');
  t.same(clock.wall(), { unixMs: 1_300, quality: 'stepped' });
  t.equal(clock.monotonicMs(), 500);
});

t.test('runUntil stops at the first instant that satisfies the condition', async (t) => {
  const clock = new VirtualClock();
  let done = false;
  clock.setTimer(30, () => {
    done = true;
  });
  t.equal(await clock.runUntil(() => done, 20), false);
  t.equal(clock.monotonicMs(), 20);
  t.equal(await clock.runUntil(() => done, 20), true);
  t.equal(clock.monotonicMs(), 30);
});

t.test('a loop that lets no time pass is an error, not a hang', async (t) => {
  const clock = new VirtualClock();
  const again = () => {
    clock.setTimer(0, again);
  };
  again();
  await t.rejects(clock.run(1), /time stands still/);
});

t.test('a delay too short to change the number of milliseconds passes nevertheless', async (t) => {
  const clock = new VirtualClock();
  await clock.run(20_295.160685540577);
  const dueMs = clock.monotonicMs() + 1e-12;
  const wait = () => {
    if (clock.monotonicMs() <= dueMs) clock.setTimer(1e-13, wait);
  };
  wait();
  await clock.advance(1);
  t.equal(clock.nextTimerAtMs(), undefined);
});
