import { SeededRandom } from '@sparc/simulator/world';
import t from 'tap';

t.test('the same seed draws the same, another seed draws another', async (t) => {
  t.same(new SeededRandom(7).bytes(32), new SeededRandom(7).bytes(32));
  t.notSame(new SeededRandom(7).bytes(32), new SeededRandom(8).bytes(32));
});

t.test('a fork is not shifted by draws from its parent', async (t) => {
  const drawn = new SeededRandom(1);
  drawn.bytes(100);
  t.same(drawn.fork('faults').bytes(16), new SeededRandom(1).fork('faults').bytes(16));
});

t.test('whole numbers cover their range evenly enough and never leave it', async (t) => {
  const random = new SeededRandom('range');
  const counts = new Map<number, number>();
  for (let draw = 0; draw < 6_000; draw++) {
    const value = random.integer(1, 6);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  t.same([...counts.keys()].sort(), [1, 2, 3, 4, 5, 6]);
  t.ok([...counts.values()].every((count) => count > 850 && count < 1_150));
});
