import fc from 'fast-check';
import t from 'tap';
import { Credits, fullCredit, Pacer, spend, type Pace } from '@sparc/edge/mesh';
import { VirtualClock } from '@sparc/simulator/world';
import { checkAsyncProperty, checkProperty } from '../../support/property.js';

const PACE: Pace = { perSecond: 1_000, burst: 5_000, pieceMin: 100 };

t.test('a burst goes through at once, and what is more waits', async (t) => {
  let credit = fullCredit(PACE, 0);
  const waits: number[] = [];
  for (let count = 0; count < 7; count += 1) {
    const spent = spend(PACE, credit, 0, 1_000);
    credit = spent.credit;
    waits.push(spent.waitMs);
  }
  t.same(waits, [0, 0, 0, 0, 0, 1_000, 2_000]);
});

t.test('many small pieces have their price, and rest earns no more than a burst', async (t) => {
  let credit = fullCredit(PACE, 0);
  for (let count = 0; count < 50; count += 1) credit = spend(PACE, credit, 0, 1).credit;
  t.equal(credit.left, 0);
  t.equal(spend(PACE, credit, 3_600_000, 1).credit.left, PACE.burst - PACE.pieceMin);
});

t.test('whoever waits as it is told gets the rate and a burst, whatever it does', async (t) => {
  const pieces = fc.array(fc.record({ size: fc.nat(3_000), idleMs: fc.nat(2_000) }), { minLength: 1, maxLength: 50 });
  checkProperty(
    fc.property(pieces, (tried) => {
      let credit = fullCredit(PACE, 0);
      let [nowMs, total] = [0, 0];
      for (const { size, idleMs } of tried) {
        nowMs += idleMs;
        const spent = spend(PACE, credit, nowMs, size);
        credit = spent.credit;
        nowMs += spent.waitMs;
        total += size;
        if (total > PACE.burst + (nowMs * PACE.perSecond) / 1_000 + 0.001) return false;
      }
      return true;
    }),
  );
  t.pass();
});

t.test('all that one neighbour asks for at a time is paid from one credit', async (t) => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock, new Credits(clock, PACE), 'a');
  const paidAtMs: number[] = [];
  const startedAtMs = clock.monotonicMs();
  const pay = (piece: number) => pacer.pay(piece).then(() => paidAtMs.push(clock.monotonicMs() - startedAtMs));
  const all = [pay(5_000), pay(1_000), pay(2_000)];
  await clock.advance(10_000);
  await Promise.all(all);
  t.same(paidAtMs, [0, 1_000, 3_000]);
});

t.test('nobody waits for a pace any more when all is over', async (t) => {
  const clock = new VirtualClock();
  const pacer = new Pacer(clock, new Credits(clock, PACE), 'a');
  const paid = pacer.pay(3_600_000);
  pacer.stop();
  await paid;
  await pacer.pay(3_600_000);
  t.pass();
});

t.test('whoever comes again owes what it owed, and others owe nothing for it', async (t) => {
  const clock = new VirtualClock();
  const credits = new Credits(clock, PACE);
  t.equal(credits.spend('a', 6_000), 1_000);
  new Pacer(clock, credits, 'a').stop();
  t.equal(credits.spend('b', 5_000), 0);
  t.equal(credits.spend('a', 1_000), 2_000, 'on its next connection');
  t.notOk(credits.take('a', 100));
  await clock.advance(2_100);
  t.ok(credits.take('a', 100));
  t.notOk(credits.take('a', 100));
});

t.test('what is left is the same whoever else comes and goes', async (t) => {
  const said = fc.record({ by: fc.nat(3), size: fc.nat(6_000), idleMs: fc.nat(4_000) });
  await checkAsyncProperty(
    fc.asyncProperty(fc.array(said, { maxLength: 30 }), async (all) => {
      const clock = new VirtualClock();
      const together = new Credits(clock, PACE);
      const alone = Array.from({ length: 4 }, () => new Credits(clock, PACE));
      for (const { by, size, idleMs } of all) {
        await clock.advance(idleMs);
        const waitMs = together.spend(`${by}`, size);
        if (Math.abs(waitMs - (alone[by]?.spend('it', size) ?? NaN)) > 0.001) return false;
      }
      return true;
    }),
    50,
  );
  t.pass();
});
