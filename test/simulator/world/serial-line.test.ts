import { LINE_FAULTS, SeededRandom, SerialLine, VirtualClock } from '@sparc/simulator/world';
import t from 'tap';

function lineOf(seed = 1) {
  const clock = new VirtualClock();
  const line = new SerialLine(clock, new SeededRandom(seed));
  const heard: { atMs: number; bytes: number[] }[] = [];
  const acu = line.attach('acu', 9_600, () => undefined);
  const pd = line.attach('pd', 9_600, (bytes) => heard.push({ atMs: clock.monotonicMs(), bytes: [...bytes] }));
  return { clock, line, acu, pd, heard };
}

t.test('bytes arrive when their last bit has passed: ten bit times a character', async (t) => {
  const { clock, acu, heard } = lineOf();
  acu.transmit(Uint8Array.of(1, 2, 3));
  await clock.run(3.1);
  t.same(heard, []);
  await clock.run(4);
  t.same(heard, [{ atMs: 3.125, bytes: [1, 2, 3] }]);
});

t.test('two who send at the same time garble both', async (t) => {
  const { clock, line, acu, pd, heard } = lineOf();
  acu.transmit(new Uint8Array(20));
  await clock.run(5);
  pd.transmit(new Uint8Array(20));
  await clock.run(100);
  t.equal(line.collisions, 1);
  t.notSame(
    heard[0]?.bytes,
    Array.from({ length: 20 }, () => 0),
  );
});

t.test('who listens at another rate hears rubbish', async (t) => {
  const { clock, acu, pd, heard } = lineOf();
  pd.baudRate = 115_200;
  acu.transmit(new Uint8Array(20));
  await clock.run(100);
  t.notSame(
    heard[0]?.bytes,
    Array.from({ length: 20 }, () => 0),
  );
});

t.test('a cut stub neither hears nor is heard', async (t) => {
  const { clock, line, acu, pd, heard } = lineOf();
  let acuHeard = 0;
  line.attach('monitor', 9_600, () => (acuHeard += 1));
  pd.connected = false;
  acu.transmit(Uint8Array.of(1));
  await clock.run(10);
  pd.transmit(Uint8Array.of(2));
  await clock.run(20);
  t.same(heard, []);
  t.equal(acuHeard, 1);
});

t.test('every fault fires, is counted, and ends when the line heals', async (t) => {
  const { clock, line, acu, heard } = lineOf(3);
  line.faults.setRates(Object.fromEntries(LINE_FAULTS.map((fault) => [fault, 0.2])));
  for (let count = 0; count < 200; count++) {
    acu.transmit(Uint8Array.of(1, 2, 3, 4));
    await clock.advance(600);
  }
  t.same([...line.faults.fired.keys()].sort(), [...LINE_FAULTS].sort());
  t.ok(heard.some(({ bytes }) => bytes.join() !== '1,2,3,4'));
  line.faults.heal();
  heard.length = 0;
  for (let count = 0; count < 50; count++) {
    acu.transmit(Uint8Array.of(1, 2, 3, 4));
    await clock.advance(10);
  }
  t.same(
    heard.map(({ bytes }) => bytes.join()),
    Array.from({ length: 50 }, () => '1,2,3,4'),
  );
});
