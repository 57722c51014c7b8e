import { NewestSaver } from '@sparc/edge/platform';
import { VirtualClock } from '@sparc/simulator/world';
import t from 'tap';

/** A disk whose writes end when the test says so. */
class Disk {
  readonly saved: number[] = [];
  readonly failures: unknown[] = [];
  readonly clock = new VirtualClock({ startUnixMs: 0 });
  state = 0;
  isFull = false;
  readonly saver = new NewestSaver({
    clock: this.clock,
    save: () => this.#write(this.state),
    onFailure: (error) => this.failures.push(error),
  });
  readonly #waiting: (() => void)[] = [];

  change(state: number): Promise<void> {
    this.state = state;
    this.saver.changed();
    return this.saver.save();
  }

  /** Ends the write that is under way. */
  async turn(): Promise<void> {
    this.#waiting.shift()?.();
    await new Promise(setImmediate);
  }

  get writesCount(): number {
    return this.#waiting.length;
  }

  #write(state: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        if (this.isFull) return reject(new Error('full'));
        this.saved.push(state);
        resolve();
      });
    });
  }
}

t.test('one write goes on at a time, and what changed meanwhile is one more', async (t) => {
  const disk = new Disk();
  const all = [1, 2, 3].map((state) => disk.change(state));
  t.equal(disk.writesCount, 1);
  await disk.turn();
  t.equal(disk.writesCount, 1);
  await disk.turn();
  await Promise.all(all);
  t.same(disk.saved, [1, 3]);
  await disk.saver.save();
  t.equal(disk.writesCount, 0, 'nothing changed');
});

t.test(
  'whoever waits hears that the disk failed, and it is tried again until it does not, which is told once',
  async (t) => {
    const disk = new Disk();
    disk.isFull = true;
    const waiting = t.rejects(disk.change(1), { message: 'full' });
    await disk.turn();
    await waiting;
    await disk.clock.advance(1_000);
    await disk.turn();
    t.same(disk.saved, []);
    t.equal(disk.failures.length, 1);
    disk.isFull = false;
    disk.state = 2;
    await disk.clock.advance(1_000);
    await disk.turn();
    t.same(disk.saved, [2], 'the newest state');
    disk.isFull = true;
    disk.change(3).catch(() => undefined);
    await disk.turn();
    t.equal(disk.failures.length, 2, 'another failure');
  },
);

t.test('a stop waits for the write that is under way, and nothing is written after it', async (t) => {
  const disk = new Disk();
  void disk.change(1);
  void disk.change(2);
  let isStopped = false;
  const stopping = disk.saver.stop().then(() => (isStopped = true));
  await disk.turn();
  t.notOk(isStopped, 'the newest state is not there yet');
  await disk.turn();
  await stopping;
  t.same(disk.saved, [1, 2]);
  await t.rejects(disk.change(3));
  t.equal(disk.writesCount, 0);
});

t.test('a store that throws at once is tried again as one that rejects', async (t) => {
  const clock = new VirtualClock({ startUnixMs: 0 });
  let savesCount = 0;
  const save = () => {
    savesCount += 1;
    if (savesCount === 1) throw new Error('no folder');
    return Promise.resolve();
  };
  const failures: unknown[] = [];
  const saver = new NewestSaver({ clock, save, onFailure: (error) => failures.push(error) });
  saver.changed();
  await t.rejects(saver.save(), { message: 'no folder' });
  await clock.advance(1_000);
  t.equal(savesCount, 2);
  saver.changed();
  await saver.save();
  t.equal(savesCount, 3);
  t.equal(failures.length, 1);
});

t.test('a stop tries nothing again, and nobody has to handle a failure that nobody waits for', async (t) => {
  const disk = new Disk();
  disk.isFull = true;
  void disk.change(1);
  await disk.turn();
  await disk.saver.stop();
  await disk.clock.advance(10_000);
  t.equal(disk.writesCount, 0);
  void disk.saver.save();
  await disk.turn();
  await disk.clock.advance(10_000);
  t.equal(disk.writesCount, 0);
});
