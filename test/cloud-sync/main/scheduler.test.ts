import t from 'tap';
import { createDatabase } from '@sparc/cloud-sync/db';
import { Scheduler, SCHEDULER_TICK_MS, type Job } from '@sparc/cloud-sync/main';
import { VirtualClock } from '@sparc/simulator/world';
import { migrated, openPglite } from '../../support/databases.js';
import { eventually } from '../../support/peers.js';
import { SEALING_SECRET } from '../../support/sealing.js';

const database = createDatabase(await migrated(await openPglite(t)), SEALING_SECRET);
const HOUR_MS = 3_600_000;

/** A process that does these jobs. */
function scheduler(t: { teardown(undo: () => unknown): void }, clock: VirtualClock, jobs: readonly Job[]) {
  const failures: string[] = [];
  const scheduler = new Scheduler({ clock, database, onFailure: (_error, what) => failures.push(what) }, jobs);
  t.teardown(() => scheduler.stop());
  return { scheduler, failures };
}

t.test('of several processes one does a job, once in its period', async (t) => {
  const done: string[] = [];
  const jobs = (process: string): Job[] => [
    { name: 'hourly', everyMs: HOUR_MS, run: async () => void done.push(`hourly by ${process}`) },
    { name: `look of ${process}`, everyMs: 0, run: async () => void done.push(`look of ${process}`) },
  ];
  const clocks = [new VirtualClock(), new VirtualClock()] as const;
  const [one, other] = [scheduler(t, clocks[0], jobs('one')), scheduler(t, clocks[1], jobs('other'))];
  await Promise.all([one.scheduler.start(), other.scheduler.start()]);
  const looksOf = (process: string) => done.filter((each) => each === `look of ${process}`).length;
  for (const looks of [1, 2, 3]) {
    await eventually('both looked', () => looksOf('one') === looks && looksOf('other') === looks);
    await eventually('both wait', () => clocks.every((clock) => clock.nextTimerAtMs() !== undefined));
    for (const clock of clocks) await clock.advance(SCHEDULER_TICK_MS);
  }
  t.equal(done.filter((each) => each.startsWith('hourly')).length, 1);
  t.strictSame([...one.failures, ...other.failures], []);
});

t.test('a job that fails is told, stands in the way of no other, and is done at the next look', async (t) => {
  const clock = new VirtualClock();
  const done: string[] = [];
  let failuresLeft = 1;
  const { scheduler: process, failures } = scheduler(t, clock, [
    {
      name: 'fragile',
      everyMs: HOUR_MS,
      run: async () => {
        if (failuresLeft-- > 0) throw new Error('the disk is full');
        done.push('fragile');
      },
    },
    { name: 'sturdy', everyMs: HOUR_MS, run: async () => void done.push('sturdy') },
  ]);
  await process.start();
  await eventually('the other is done', () => done.includes('sturdy'));
  t.strictSame(failures, ['a job is not done: fragile']);
  await eventually('it waits', () => clock.nextTimerAtMs() !== undefined);
  await clock.advance(SCHEDULER_TICK_MS);
  await eventually('it is done', () => done.includes('fragile'));
  t.strictSame(done, ['sturdy', 'fragile']);
});

t.test('a process that ends waits for the job under way, which is told to end, and begins no other', async (t) => {
  const begun: string[] = [];
  let end: () => void = () => undefined;
  const job = (name: string): Job => ({
    name,
    everyMs: HOUR_MS,
    run: (signal) =>
      new Promise((resolve) => {
        begun.push(name);
        end = () => {
          begun.push(`${name} was told to end: ${signal.aborted}`);
          resolve();
        };
      }),
  });
  const { scheduler: process } = scheduler(t, new VirtualClock(), [job('long'), job('later')]);
  await process.start();
  await eventually('it is under way', () => begun.length === 1);
  let isStopped = false;
  const stopped = process.stop().then(() => (isStopped = true));
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(isStopped);
  end();
  await stopped;
  t.strictSame(begun, ['long', 'long was told to end: true']);
});
