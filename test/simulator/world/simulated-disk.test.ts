import { HEALTHY_DISK, SeededRandom, SimulatedDisk, VirtualClock } from '@sparc/simulator/world';
import t from 'tap';

function diskOf(seed: number) {
  const clock = new VirtualClock();
  return { clock, disk: new SimulatedDisk<number>(clock, new SeededRandom(seed)) };
}

t.test('what was flushed survives a crash; of the rest a part from the front does', async (t) => {
  let lost = 0;
  let kept = 0;
  for (let seed = 0; seed < 50; seed++) {
    const { clock, disk } = diskOf(seed);
    disk.write([1, 2]);
    const flushed = disk.flush();
    await clock.advance(10);
    t.equal(await flushed, true);
    disk.write([3, 4, 5]);
    disk.crash();
    const survivors = disk.items();
    t.same(survivors, [1, 2, 3, 4, 5].slice(0, survivors.length));
    t.ok(survivors.length >= 2);
    if (survivors.length < 5) lost += 1;
    if (survivors.length > 2) kept += 1;
  }
  t.ok(lost > 0 && kept > 0);
});

t.test('a flush under way at the crash never ends', async (t) => {
  const { clock, disk } = diskOf(1);
  disk.write([1]);
  let ended = false;
  void disk.flush().then(() => {
    ended = true;
  });
  disk.crash();
  await clock.advance(1_000);
  t.equal(ended, false);
});

t.test('a disk that lies loses what it said it had', async (t) => {
  const { clock, disk } = diskOf(4);
  disk.behaviour = { ...HEALTHY_DISK, lies: true };
  disk.write([1, 2, 3, 4]);
  const flushed = disk.flush();
  await clock.advance(10);
  t.equal(await flushed, true);
  t.same(disk.durableItems(), []);
});

t.test('a failing flush says so, and a rolled back write is gone', async (t) => {
  const { clock, disk } = diskOf(1);
  disk.behaviour = { ...HEALTHY_DISK, failRate: 1 };
  disk.write([1]);
  const flushed = disk.flush();
  await clock.advance(10);
  t.equal(await flushed, false);
  disk.discardWritten();
  t.same(disk.items(), []);
});

t.test('a refused write may come back with a crash, and never after something newer is durable', async (t) => {
  const survivors = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const { clock, disk } = diskOf(seed);
    disk.behaviour = { ...HEALTHY_DISK, failRate: 1 };
    disk.write([1]);
    void disk.flush();
    await clock.advance(10);
    disk.discardWritten();
    if (seed % 2 === 0) {
      disk.behaviour = HEALTHY_DISK;
      disk.write([2]);
      void disk.flush();
      await clock.advance(10);
    }
    disk.crash();
    survivors.add(`${seed % 2}: ${disk.items().join()}`);
  }
  t.same([...survivors].sort(), ['0: 2', '1: ', '1: 1']);
});
