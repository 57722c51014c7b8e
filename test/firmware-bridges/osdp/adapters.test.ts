import t from 'tap';
import { setAddress } from '@sparc/firmware-bridges/osdp';
import { BusWorld } from './bus-world.js';
import { ChoppyLink } from './choppy-link.js';

const CARD = { bitCount: 26, bits: Uint8Array.of(0xcd, 0x22, 0xc7, 0xff) };
const DEVICES = [0, 1, 2].map((address) => ({ address }));
const IDS = ['pd-0', 'pd-1', 'pd-2'];

for (const echoes of [false, true]) {
  const kind = echoes ? 'splits, delays and echoes' : 'splits and delays';
  t.test(`behind an adapter that ${kind} bytes nothing is lost, repeated or mistaken`, async (t) => {
    for (const baudRate of [9_600, 115_200]) {
      const wrap = (world: BusWorld) => new ChoppyLink(world.clock, world.random.fork('chop'), world.link, echoes);
      const world = new BusWorld(DEVICES, { baudRate, wrap });
      world.start();
      t.ok(await world.online(...IDS));
      await world.clock.advance(10_000);
      for (const id of IDS) world.reader(id).presentCard(CARD);
      const command = { deviceId: 'pd-1', outputNumber: 0, action: { kind: 'off' }, ttlMs: 1_000 } as const;
      t.equal((await world.settle(world.field.setOutput(command))).kind, 'acknowledged');
      await world.clock.advance(2_000);
      t.equal(world.witness.cards.length, 3);
      for (const id of IDS) {
        t.match(world.health(id), { timeoutCount: 0, retryCount: 0, badCheckCount: 0, sessionStartCount: 1 }, id);
      }
      t.match(world.bus.health(), { strayBytesCount: 0, echo: echoes });
      t.same(world.witness.alarms, []);
      await world.field.stop();
    }
  });
}

t.test('COM has left the line at the old rate before an adapter is switched', async (t) => {
  const wrap = (world: BusWorld) => new ChoppyLink(world.clock, world.random.fork('chop'), world.link, true);
  const world = new BusWorld([{ address: 1 }], { baudRate: 9_600, wrap });
  const device = world.add('new', 0, null, { baudRate: 115_200 });
  world.start();
  await world.online('pd-0');
  const result = await world.settle(setAddress(world.bus, { address: 0, baudRate: 115_200, newAddress: 6 }));
  t.same(result, { kind: 'moved', address: 6, baudRate: 9_600 });
  t.match(device.memory, { address: 6, baudRate: 9_600 });
  t.match(world.health('pd-0'), { timeoutCount: 0, sessionStartCount: 1 });
  await world.field.stop();
});
