import t from 'tap';
import { busPlanProblem, predictedPollPeriodMs, QuantileMeter } from '@sparc/firmware-bridges/osdp';
import { BusWorld } from './bus-world.js';
import { ScriptedPd } from './scripted-pd.js';

const devices = (count: number) => Array.from({ length: count }, (_, address) => ({ address }));
const ids = (count: number) => devices(count).map(({ address }) => `pd-${address}`);
const secured = (count: number) => devices(count).map(() => ({ secureChannel: { mode: 'required' } }) as const);

t.test('the real poll period is a little shorter than the predicted one', async (t) => {
  for (const [count, baudRate] of [
    [8, 9_600],
    [6, 38_400],
    [2, 115_200],
  ] as const) {
    const world = new BusWorld(devices(count), { baudRate });
    world.start();
    t.ok(await world.online(...ids(count)));
    await world.clock.advance(10_000);
    const { predictedPollPeriodMs: predicted, pollPeriodMs, lineLoad } = world.bus.health();
    const measured = pollPeriodMs?.p50 ?? 0;
    const figures = `${predicted.toFixed(0)} ms predicted, ${measured.toFixed(0)} measured`;
    t.ok(measured <= predicted && measured > 0.75 * predicted, figures);
    t.ok(lineLoad > 0.1 && lineLoad <= 1);
    t.comment(`${count} devices, ${baudRate} baud: ${figures}, load ${lineLoad.toFixed(2)}`);
    await world.field.stop();
  }
});

t.test('a plan is refused from the device on that makes its poll period longer than a second', async (t) => {
  const most = secured(200).findIndex((_, count) => busPlanProblem(secured(count), 9_600) !== undefined) - 1;
  t.ok(predictedPollPeriodMs(secured(most), 9_600) <= 1_000);
  t.match(busPlanProblem(secured(most + 1), 9_600), {
    code: 'ERR_BUS_POLL_PERIOD',
    message: new RegExp(`^${most + 1} devices at 9600 baud are polled every 10`),
  });
  t.equal(busPlanProblem(secured(most + 1), 38_400), undefined);
  t.equal(busPlanProblem([], 9_600), undefined);
  t.comment(`${most} devices with Secure Channel at 9600 baud`);
});

t.test('a report tells round trips, repeats, refusals by name, damage, restarts and strays', async (t) => {
  const world = new BusWorld(devices(2));
  world.start();
  await world.online('pd-0', 'pd-1');
  await world.clock.advance(2_000);
  await world.settle(
    world.bus.send(
      'pd-0',
      { name: 'OUT', records: [{ output: 99, code: 1, timerTicks: 0 }] },
      { priority: 'normal', ttlMs: 2_000 },
    ),
  );
  world.reader('pd-1').device.powerCycle(300);
  await world.clock.advance(3_000);
  const [first, second] = world.bus.health().devices;
  t.match(first, { deviceId: 'pd-0', address: 0, link: 'online', secure: true, sessionRestartCount: 0, retryCount: 0 });
  t.match(first?.naks, [{ code: 9, name: 'unable to process the record', count: 1 }]);
  t.ok((first?.roundTripMs?.p50 ?? 0) > 10 && (first?.roundTripMs?.max ?? 999) < 100, `${first?.roundTripMs?.p50} ms`);
  t.match(second, { link: 'online', sessionStartCount: 2, sessionRestartCount: 1 });
  t.ok((second?.timeoutCount ?? 0) > 0 && (second?.retryCount ?? 0) > 0);
  world.line.faults.setRates({ corrupt: 0.2 });
  await world.clock.advance(10_000);
  const { strayBytesCount, devices: reports } = world.bus.health();
  t.ok(strayBytesCount > 0);
  t.ok(reports.every(({ badCheckCount }) => badCheckCount > 0));
  await world.field.stop();
});

t.test('a dead device costs its neighbours no more than a shortened wait for each of its probes', async (t) => {
  const clear = { plan: { mode: 'clear' }, scbk: null } as const;
  const neighbours = devices(2).map((device) => ({ ...device, ...clear }));
  const world = new BusWorld([...neighbours, { address: 9, absent: true }], { baudRate: 38_400 });
  world.start();
  await world.online(...ids(2));
  await world.clock.advance(60_000);
  const asked: { atMs: number; address: number }[] = [];
  world.bus.tap(({ direction, atMs, bytes }) => direction === 'acu' && asked.push({ atMs, address: bytes[1] ?? 0 }));
  await world.clock.advance(120_000);
  const slots = asked.flatMap(({ atMs, address }, index) =>
    address === 9 ? [(asked[index + 1]?.atMs ?? Infinity) - atMs] : [],
  );
  const short = slots.filter((ms) => ms < 75);
  t.ok(slots.length >= 10, `${slots.length} probes in 120 s`);
  t.ok(
    short.length >= slots.length * 0.8,
    `${short.length} of ${slots.length} shortened: ${slots.map(Math.round).join()}`,
  );
  t.ok(slots.every((ms) => ms < 230));
  await world.field.stop();
});

t.test(
  'a slow device is found again as soon as it answers, and at the latest after a few probes where it is new',
  async (t) => {
    for (const known of [true, false]) {
      const clear = { plan: { mode: 'clear' }, scbk: null } as const;
      const world = new BusWorld([
        { address: 0, ...clear },
        { address: 1, ...clear, absent: true },
      ]);
      const slow = new ScriptedPd(world.line, 1);
      slow.later = (answer) => void world.clock.setTimer(120, answer);
      slow.answers = known ? 1 : 0;
      world.start();
      t.ok(await world.online(...(known ? ['pd-0', 'pd-1'] : ['pd-0'])));
      slow.answers = 0;
      await world.clock.advance(120_000);
      t.equal(world.witness.device('pd-1')?.link, 'offline');
      slow.answers = 1;
      const withinMs = known ? 11_000 : 85_000;
      t.ok(
        await world.clock.runUntil(() => world.witness.device('pd-1')?.link === 'online', withinMs),
        `known: ${known}`,
      );
      await world.field.stop();
    }
  },
);

t.test('a reader that was slow once, long ago, is not waited for longer than others when it is away', async (t) => {
  const clear = { plan: { mode: 'clear' }, scbk: null } as const;
  const world = new BusWorld([
    { address: 0, ...clear },
    { address: 1, ...clear, absent: true },
  ]);
  const reader = new ScriptedPd(world.line, 1);
  reader.later = (answer) => void world.clock.setTimer(120, answer);
  world.start();
  t.ok(await world.online('pd-0', 'pd-1'));
  reader.later = (answer) => answer();
  await world.clock.runUntil(() => (world.health('pd-1')?.replyCount ?? 0) > 1_100, 300_000);
  reader.answers = 0;
  await world.clock.advance(30_000);
  const asked: { atMs: number; address: number }[] = [];
  world.bus.tap(({ direction, atMs, bytes }) => direction === 'acu' && asked.push({ atMs, address: bytes[1] ?? 0 }));
  await world.clock.advance(60_000);
  const slots = asked.flatMap(({ atMs, address }, index) =>
    address === 1 ? [(asked[index + 1]?.atMs ?? Infinity) - atMs] : [],
  );
  t.ok(slots.filter((ms) => ms < 100).length >= slots.length - 1, slots.map(Math.round).join());
  await world.field.stop();
});

t.test('quantiles are those of the newest samples', async (t) => {
  const meter = new QuantileMeter();
  t.equal(meter.read(), undefined);
  for (let sample = 0; sample < 5_000; sample++) meter.add(sample % 64);
  t.same(meter.read(), { p50: 32, p99: 63, max: 63 });
  for (let sample = 0; sample < 2_000; sample++) meter.add(7);
  t.same(meter.read(), { p50: 7, p99: 7, max: 7 });
});
