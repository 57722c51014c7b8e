import t from 'tap';
import { discover, type DiscoverProgress } from '@sparc/firmware-bridges/osdp';
import { BusWorld, keyOf } from './bus-world.js';
import { ScriptedPd } from './scripted-pd.js';

t.test('a lone reader as it comes from the factory is found without asking every address', async (t) => {
  const world = new BusWorld([]);
  world.add('new', 0, null, { baudRate: 9_600, serial: 123 });
  world.start();
  await world.clock.advance(100);
  const steps: DiscoverProgress[] = [];
  const beganAtMs = world.clock.monotonicMs();
  const options = { baudRates: [9_600] };
  const found = await world.settle(discover(world.bus, options, (progress) => steps.push(progress)));
  t.match(found, [{ address: 0, baudRate: 9_600, conflict: false, secureChannel: true, defaultKey: false }]);
  t.match(found[0]?.pdid, { vendor: '0a0b0c', serial: 123, firmware: '1.0.0' });
  t.ok(world.clock.monotonicMs() - beganAtMs < 3_000, 'within seconds');
  t.ok(steps.every(({ progress }, index) => progress >= (steps[index - 1]?.progress ?? 0)));
  t.match(steps.at(-1), { progress: 1, found: [{ address: 0 }] });
  await world.field.stop();
});

t.test('several readers at several rates are found while the devices of the plan go on being polled', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1 }]);
  world.add('a', 7, null);
  world.add('b', 3, null, { baudRate: 38_400 });
  world.add('c', 4, null, { baudRate: 38_400 });
  world.add('keyed', 5, keyOf(5), { baudRate: 38_400 });
  world.start();
  await world.online('pd-0', 'pd-1');
  await world.clock.advance(3_000);
  const addresses = [0, 1, 2, 3, 4, 5, 6, 7];
  const found = await world.settle(discover(world.bus, { baudRates: [9_600, 38_400], addresses }));
  t.same(found.map(({ address, baudRate, conflict }) => [baudRate, address, conflict]).sort(), [
    [38_400, 3, false],
    [38_400, 4, false],
    [38_400, 5, false],
    [9_600, 0, false],
    [9_600, 1, false],
    [9_600, 7, false],
  ]);
  t.ok(
    found.every(({ pdid, address }) => pdid?.serial === address),
    'those of the plan too',
  );
  for (const id of ['pd-0', 'pd-1']) {
    t.match(world.health(id), { link: 'online', timeoutCount: 0, badCheckCount: 0, sessionStartCount: 1 });
  }
  t.same(world.witness.alarms, []);
  await world.field.stop();
});

t.test('two readers at one address are a conflict, whether they answer at once or one after the other', async (t) => {
  const world = new BusWorld([]);
  world.add('one', 4, null, { serial: 1 });
  world.add('two', 4, null, { serial: 2 });
  new ScriptedPd(world.line, 6).answers = 2;
  world.start();
  await world.clock.advance(100);
  const found = await world.settle(discover(world.bus, { baudRates: [9_600], addresses: [4, 5, 6] }));
  t.match(found, [
    { address: 4, conflict: true, pdid: undefined },
    { address: 6, conflict: true, pdid: undefined },
  ]);
  await world.field.stop();
});

t.test(
  'a reader that knows checksums alone is found, and one that refuses ID in clear is a sign of life',
  async (t) => {
    const world = new BusWorld([]);
    new ScriptedPd(world.line, 2).check = 'checksum';
    const mute = new ScriptedPd(world.line, 3);
    mute.refusesId = true;
    world.start();
    await world.clock.advance(100);
    const found = await world.settle(discover(world.bus, { baudRates: [9_600], addresses: [1, 2, 3] }));
    t.match(found, [
      { address: 3, conflict: false, pdid: undefined },
      { address: 2, conflict: false, pdid: { serial: 1 } },
    ]);
    await world.field.stop();
  },
);

t.test('noise is no reader, and spoils the finding of none', async (t) => {
  const world = new BusWorld([]);
  world.add('new', 5, null);
  world.add('other', 9, null);
  world.start();
  await world.clock.advance(100);
  world.line.faults.setRates({ noise: 0.1, corrupt: 0.05 });
  const addresses = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const found = await world.settle(discover(world.bus, { baudRates: [9_600], addresses }));
  t.same(found.map(({ address }) => address).sort(), [5, 9]);
  await world.field.stop();
});

t.test('a search ends when it is told to, with what was found by then', async (t) => {
  const world = new BusWorld([]);
  world.add('a', 1, null);
  world.add('b', 50, null);
  world.start();
  await world.clock.advance(100);
  const stopping = new AbortController();
  const options = { baudRates: [9_600], signal: stopping.signal };
  const search = discover(world.bus, options, ({ found }) => found.length > 0 && stopping.abort());
  t.match(await world.settle(search, 10_000), [{ address: 1 }]);
  await world.field.stop();
});
