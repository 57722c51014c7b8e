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

t.test(
  'a line that is stuck carries nothing, a line that is shorted carries zeros, until it is repaired',
  async (t) => {
    const { clock, line, acu, heard } = lineOf();
    const say = async () => {
      heard.length = 0;
      acu.transmit(Uint8Array.of(1, 2, 3));
      await clock.advance(10);
      return heard.map(({ bytes }) => bytes);
    };
    line.condition = 'stuckMark';
    t.same(await say(), []);
    line.condition = 'shortToGround';
    t.same(await say(), [[0, 0, 0]]);
    line.condition = undefined;
    t.same(await say(), [[1, 2, 3]]);
  },
);

t.test('who has crossed wires hears and is heard inverted; two of them understand each other', async (t) => {
  const { clock, line, acu, pd, heard } = lineOf();
  const acuHeard: number[] = [];
  line.attach('monitor', 9_600, (bytes) => acuHeard.push(...bytes));
  pd.crossed = true;
  acu.transmit(Uint8Array.of(0x53));
  await clock.advance(10);
  pd.transmit(Uint8Array.of(0x0f));
  await clock.advance(10);
  t.same(heard[0]?.bytes, [0xac]);
  t.same(acuHeard, [0x53, 0xf0]);
  acu.crossed = true;
  acu.transmit(Uint8Array.of(0x53));
  await clock.advance(10);
  t.same(heard[1]?.bytes, [0x53]);
});

t.test('an adapter with a latency timer hands over every 16 ms', async (t) => {
  const { clock, line, acu, heard } = lineOf();
  line.faults.setRates({ latency: 1 });
  for (let count = 0; count < 5; count++) {
    acu.transmit(Uint8Array.of(1));
    await clock.advance(37);
  }
  t.equal(heard.length, 5);
  t.ok(heard.every(({ atMs }) => Math.abs(atMs - 16 * Math.round(atMs / 16)) < 1e-6));
});

t.test('a wrong termination costs more the faster the line is', async (t) => {
  const damagedAt = async (baudRate: number) => {
    const { clock, line, acu, pd, heard } = lineOf(5);
    acu.baudRate = baudRate;
    pd.baudRate = baudRate;
    line.faults.setRates({ wrongTermination: 0.02 });
    for (let count = 0; count < 500; count++) {
      acu.transmit(Uint8Array.of(1, 2, 3, 4));
      await clock.advance(10);
    }
    return heard.filter(({ bytes }) => bytes.join() !== '1,2,3,4').length;
  };
  const [slow, fast] = [await damagedAt(9_600), await damagedAt(115_200)];
  t.ok(slow > 0 && slow < 30, `${slow} of 500 at 9600 baud`);
  t.ok(fast > 5 * slow, `${fast} of 500 at 115200 baud`);
});

t.test('whoever babbles garbles the answer that follows', async (t) => {
  const { clock, line, acu, pd } = lineOf();
  line.faults.setRates({ babble: 1 });
  acu.transmit(Uint8Array.of(1, 2, 3));
  await clock.run(4);
  line.faults.heal();
  pd.transmit(Uint8Array.of(4, 5, 6));
  await clock.run(100);
  t.equal(line.collisions, 1);
});

t.test('a bad stub damages what goes in and out there, and nothing else', async (t) => {
  const { clock, line, acu, pd, heard } = lineOf();
  const others: number[][] = [];
  line.attach('other', 9_600, (bytes) => others.push([...bytes]));
  pd.faults.setRates({ drop: 1 });
  acu.transmit(Uint8Array.of(1));
  await clock.advance(10);
  pd.transmit(Uint8Array.of(2));
  await clock.advance(10);
  t.same(heard, []);
  t.same(others, [[1]]);
  t.equal(pd.faults.fired.get('drop'), 2);
});
