import t from 'tap';
import type { SparcError } from '@sparc/protocol/errors';
import { identify, transferFile } from '@sparc/firmware-bridges/osdp';
import { firmwareImage, MODEL } from '@sparc/simulator/devices';
import { BusWorld } from './bus-world.js';

const IMAGE = firmwareImage(MODEL.reader, { major: 2, minor: 0, build: 0 }, 20_000);

t.test('a reader that is to show itself blinks and beeps, then shows what it showed before', async (t) => {
  const world = new BusWorld([{ address: 0 }]);
  const reader = world.reader('pd-0');
  world.start();
  await world.online('pd-0');
  await world.clock.advance(1_000);
  world.field.indicate('pd-0', 0, 'locked');
  await world.clock.advance(500);
  t.match(reader.led, { color: 'red', blinking: false });
  await world.settle(world.field.identify('pd-0', 5_000));
  t.match(reader.led, { color: 'red', offColor: 'green', blinking: true, temporary: true });
  t.ok(reader.beepCount > 0);
  await world.clock.advance(4_000);
  t.ok(reader.led.blinking);
  await world.clock.advance(1_500);
  t.match(reader.led, { color: 'red', blinking: false });
  await world.field.stop();
});

t.test('so does one that was only discovered, under SCBK-D where it refuses clear text', async (t) => {
  const world = new BusWorld([{ address: 0 }]);
  world.add('open', 4, null, { baudRate: 38_400 });
  world.start();
  await world.online('pd-0');
  await world.settle(identify(world.bus, { address: 4, baudRate: 38_400 }, 5_000));
  t.ok(world.reader('open').led.blinking);
  const nobody = identify(world.bus, { address: 5, baudRate: 38_400 }, 5_000).catch(({ code }: SparcError) => code);
  t.equal(await world.settle(nobody), 'ERR_OSDP_SILENT');
  t.match(world.health('pd-0'), { sessionStartCount: 1, timeoutCount: 0 });
  await world.field.stop();
});

t.test('a file arrives byte by byte, with progress, while a door of the same bus opens at once', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1 }]);
  world.start();
  await world.online('pd-0', 'pd-1');
  await world.clock.advance(2_000);
  const sent: number[] = [];
  const transfer = transferFile(world.bus, 'pd-0', { fileType: 1, data: IMAGE }, ({ sentSize }) => sent.push(sentSize));
  let longestMs = 0;
  for (let trial = 0; trial < 10; trial++) {
    await world.clock.advance(333);
    const beganAtMs = world.clock.monotonicMs();
    const command = { outputNumber: 0, action: { kind: 'off' }, ttlMs: 1_000 } as const;
    const outcome = await world.settle(world.field.setOutput({ deviceId: `pd-${trial % 2}`, ...command }));
    t.equal(outcome.kind, 'acknowledged');
    longestMs = Math.max(longestMs, world.clock.monotonicMs() - beganAtMs);
  }
  t.ok(longestMs < 500, `an unlock meanwhile: ${longestMs.toFixed(0)} ms at most`);
  t.same(await world.settle(transfer), { kind: 'completed', rebooting: true });
  t.same(world.reader('pd-0').device.body.files.stored, IMAGE);
  t.equal(sent.at(-1), IMAGE.length);
  t.ok(sent.every((size, index) => size > (sent[index - 1] ?? 0)));
  t.match(world.health('pd-1'), { sessionStartCount: 1, timeoutCount: 0 });
  await world.field.stop();
});

t.test('a transfer survives the loss of its device for a while', async (t) => {
  const world = new BusWorld([{ address: 0 }], { baudRate: 38_400 });
  world.start();
  await world.online('pd-0');
  const transfer = transferFile(world.bus, 'pd-0', { fileType: 1, data: IMAGE });
  await world.clock.advance(1_000);
  world.reader('pd-0').device.setConnected(false);
  await world.clock.advance(15_000);
  world.reader('pd-0').device.setConnected(true);
  t.same(await world.settle(transfer), { kind: 'completed', rebooting: true });
  t.same(world.reader('pd-0').device.body.files.stored, IMAGE);
  await world.field.stop();
});

t.test('a transfer that is given up tells where, and is resumed there', async (t) => {
  const world = new BusWorld([{ address: 0 }], { baudRate: 38_400 });
  world.start();
  await world.online('pd-0');
  const stopping = new AbortController();
  const options = { fileType: 1, data: IMAGE };
  const transfer = transferFile(world.bus, 'pd-0', { ...options, signal: stopping.signal });
  await world.clock.advance(2_000);
  stopping.abort();
  const aborted = await world.settle(transfer, 5_000);
  t.equal(aborted.kind, 'aborted');
  t.ok(aborted.kind === 'aborted' && aborted.offset > 0 && aborted.offset < IMAGE.length);
  const offset = aborted.kind === 'aborted' ? aborted.offset : 0;
  const resumed = await world.settle(transferFile(world.bus, 'pd-0', { ...options, offset }));
  t.same(resumed, { kind: 'completed', rebooting: true });
  t.same(world.reader('pd-0').device.body.files.stored, IMAGE);
  await world.field.stop();
});

t.test('a transfer is given up at once while the device lets it wait', async (t) => {
  const world = new BusWorld([{ address: 0 }], { baudRate: 38_400 });
  world.reader('pd-0').device.setQuirks(['slowTransfer']);
  world.start();
  await world.online('pd-0');
  const trials = [7, 97, 211, 333, 777];
  for (const delayMs of trials) {
    const stopping = new AbortController();
    const options = { fileType: 1, data: IMAGE, signal: stopping.signal };
    const transfer = transferFile(world.bus, 'pd-0', options);
    await world.clock.advance(1_000 + delayMs);
    stopping.abort();
    t.match(await world.settle(transfer, 1_000), { kind: 'aborted' });
  }
  t.equal(world.witness.device('pd-0')?.link, 'online');
  await world.field.stop();
});

t.test('a transfer to a device that is taken off the bus ends', async (t) => {
  const world = new BusWorld([{ address: 0 }], { baudRate: 38_400 });
  world.start();
  await world.online('pd-0');
  const transfer = transferFile(world.bus, 'pd-0', { fileType: 1, data: IMAGE }).catch(({ code }: SparcError) => code);
  await world.clock.advance(1_000);
  world.field.setDevices('bus', []);
  t.equal(await world.settle(transfer), 'ERR_BUS_DEVICE_UNKNOWN');
  await world.field.stop();
});
