import t from 'tap';
import { pino } from 'pino';
import { PartsRunner, START_AGAIN_MIN_MS, STOP_MAX_MS, type Part } from '@sparc/cloud-sync/main';
import { VirtualClock } from '@sparc/simulator/world';

const log = pino({ level: 'silent' });

/** A part that says what is done with it, and fails to start so many times. */
function part(said: string[], name: string, failuresCount = 0): Part {
  let left = failuresCount;
  return {
    name,
    async start() {
      said.push(`start ${name}`);
      if (left-- > 0) throw new Error(`${name} is away`);
    },
    async stop() {
      said.push(`stop ${name}`);
    },
  };
}

t.test('parts start one after another, each until it does, and stop in reverse', async (t) => {
  const clock = new VirtualClock();
  const said: string[] = [];
  const runner = new PartsRunner({ clock, log }, [part(said, 'a'), part(said, 'b', 2), part(said, 'c')]);
  const started = runner.start();
  await clock.settle();
  t.strictSame(said, ['start a', 'start b']);
  t.strictSame(runner.health(), [
    { name: 'a' },
    { name: 'b', problem: 'b is away' },
    { name: 'c', problem: 'has not started yet' },
  ]);
  await clock.advance(START_AGAIN_MIN_MS);
  await clock.advance(2 * START_AGAIN_MIN_MS);
  await started;
  t.strictSame(said, ['start a', 'start b', 'start b', 'start b', 'start c']);
  t.ok(runner.health().every(({ problem }) => problem === undefined));
  await runner.stop();
  await runner.stop();
  t.strictSame(said.slice(5), ['stop c', 'stop b', 'stop a']);
});

t.test('what is stopped while a part is waited for does not start it any more', async (t) => {
  const clock = new VirtualClock();
  const said: string[] = [];
  const runner = new PartsRunner({ clock, log }, [part(said, 'a', 1_000), part(said, 'b')]);
  const started = runner.start();
  await clock.settle();
  await runner.stop();
  await started;
  await clock.advance(60_000);
  t.strictSame(said, ['start a', 'stop b', 'stop a']);
});

t.test('a part whose start never ends keeps the process from ending for a while, and not for ever', async (t) => {
  const clock = new VirtualClock();
  const said: string[] = [];
  const stuck: Part = { name: 'stuck', start: () => new Promise(() => undefined), stop: async () => undefined };
  const runner = new PartsRunner({ clock, log }, [part(said, 'a'), stuck]);
  void runner.start();
  await clock.settle();
  const stopped = runner.stop();
  await clock.advance(STOP_MAX_MS - 1);
  t.strictSame(said, ['start a']);
  await clock.advance(1);
  await stopped;
  t.strictSame(said, ['start a', 'stop a']);
});

t.test('a part that does not stop keeps the others from stopping for a while, and not for ever', async (t) => {
  const clock = new VirtualClock();
  const said: string[] = [];
  const stuck: Part = { name: 'stuck', start: async () => undefined, stop: () => new Promise(() => undefined) };
  const runner = new PartsRunner({ clock, log }, [part(said, 'a'), stuck]);
  await runner.start();
  const stopped = runner.stop();
  await clock.advance(STOP_MAX_MS - 1);
  t.strictSame(said, ['start a']);
  await clock.advance(1);
  await stopped;
  t.strictSame(said, ['start a', 'stop a']);
});
