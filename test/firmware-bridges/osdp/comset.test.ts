import t from 'tap';
import type { SparcError } from '@sparc/protocol/errors';
import { comset, setAddress, setBusSpeed } from '@sparc/firmware-bridges/osdp';
import { BusWorld, keyOf } from './bus-world.js';

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    (error: SparcError) => error.code,
  );
const HOUR_MS = 3_600_000;

t.test('a reader from the factory is moved to its planned address and to the rate of the bus', async (t) => {
  const world = new BusWorld([{ address: 1 }, { address: 5, absent: true }], { baudRate: 38_400 });
  const device = world.add('new', 0, null, { baudRate: 9_600, serial: 99 });
  world.start();
  await world.online('pd-0');
  const result = await world.settle(setAddress(world.bus, { address: 0, baudRate: 9_600, newAddress: 5 }));
  t.same(result, { kind: 'moved', address: 5, baudRate: 38_400 });
  t.match(device.memory, { address: 5, baudRate: 38_400 });
  await world.clock.advance(1_000);
  t.equal(world.link.baudRate, 38_400);
  t.match(world.health('pd-0'), { sessionStartCount: 1, timeoutCount: 0 });
  await world.field.stop();
});

t.test('one that refuses clear text is moved under SCBK-D while a window is open, and only then', async (t) => {
  const world = new BusWorld([{ address: 1 }]);
  const device = world.add('new', 0, null, { installMode: true, baudRate: 38_400 });
  device.setQuirks(['refusesComsetInClear']);
  world.start();
  await world.online('pd-0');
  const request = { address: 0, baudRate: 38_400, newAddress: 5 };
  t.equal(await world.settle(codeOf(setAddress(world.bus, request))), 'ERR_OSDP_NAK');
  t.equal(device.memory.address, 0);
  const windowEndsAtMs = world.clock.monotonicMs() + HOUR_MS;
  const result = await world.settle(setAddress(world.bus, { ...request, windowEndsAtMs }));
  t.same(result, { kind: 'moved', address: 5, baudRate: 9_600 });
  t.match(world.bus.devices, [{ deviceId: 'pd-0' }], 'the stranger is off the bus again');
  t.match(world.health('pd-0'), { sessionStartCount: 1, timeoutCount: 0 });
  await world.field.stop();
});

t.test('nothing is sent where the new address is taken, by plan or by somebody who answers', async (t) => {
  const world = new BusWorld([{ address: 1 }]);
  const device = world.add('new', 0, null);
  world.add('other', 8, null);
  world.start();
  await world.online('pd-0');
  for (const newAddress of [1, 8]) {
    const request = { address: 0, baudRate: 9_600, newAddress };
    t.equal(await world.settle(codeOf(setAddress(world.bus, request))), 'ERR_BUS_ADDRESS_TAKEN');
  }
  t.equal(device.memory.address, 0);
  await world.field.stop();
});

t.test('a reader that does not do what COMSET says is found where it is, and sent back', async (t) => {
  for (const quirk of ['comsetIgnoresBaud', 'comsetWithoutEffect'] as const) {
    const world = new BusWorld([{ address: 1 }], { baudRate: 38_400 });
    const device = world.add('new', 0, null, { baudRate: 9_600 });
    device.setQuirks([quirk]);
    world.start();
    await world.online('pd-0');
    const result = await world.settle(setAddress(world.bus, { address: 0, baudRate: 9_600, newAddress: 5 }));
    t.match(result, { kind: 'kept', address: 0, baudRate: 9_600, code: 'ERR_BUS_COMSET_UNDONE' }, quirk);
    t.match(device.memory, { address: 0 }, quirk);
    await world.field.stop();
  }
});

/** Nothing that a PD says in answer to the next COMSET arrives. */
function loseAnswerToComset(world: BusWorld): void {
  const close = world.bus.tap(({ direction, bytes }) => {
    // Behind SOM, address, length and control the code, or a security block of 2 and the code.
    if (direction !== 'acu' || (bytes[5] !== 0x6e && bytes[7] !== 0x6e)) return;
    close();
    world.clock.setTimer(world.bus.lineMs(bytes.length + 1) + 0.5, () => world.line.faults.setRates({ drop: 1 }));
    world.clock.setTimer(150, () => world.line.faults.heal());
  });
}

t.test('a lost answer to COMSET loses no reader', async (t) => {
  const world = new BusWorld([{ address: 1 }]);
  const device = world.add('new', 0, null);
  world.start();
  await world.online('pd-0');
  loseAnswerToComset(world);
  const stranger = await world.settle(setAddress(world.bus, { address: 0, baudRate: 9_600, newAddress: 5 }));
  t.same(stranger, { kind: 'moved', address: 5, baudRate: 9_600 });
  t.equal(device.memory.address, 5);
  loseAnswerToComset(world);
  const planned = await world.settle(comset(world.bus, 'pd-0', { address: 7 }));
  t.same(planned, { kind: 'moved', address: 7, baudRate: 9_600 });
  t.equal(world.reader('pd-0').device.memory.address, 7);
  t.ok(world.health('pd-0')?.secure);
  await world.field.stop();
});

t.test('a device of the plan moves inside its session and is polled at its new address', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1 }]);
  world.start();
  await world.online('pd-0', 'pd-1');
  const request = { address: 0, baudRate: 9_600, newAddress: 9 };
  t.same(await world.settle(setAddress(world.bus, request)), { kind: 'moved', address: 9, baudRate: 9_600 });
  t.match(world.health('pd-0'), { address: 9, link: 'online', secure: true });
  t.match(world.health('pd-1'), { sessionStartCount: 1, timeoutCount: 0 });
  await world.field.stop();
});

t.test('the speed of a bus changes with all its devices, none of which is ever out of reach', async (t) => {
  const world = new BusWorld([0, 1, 2, 3].map((address) => ({ address })));
  const ids = ['pd-0', 'pd-1', 'pd-2', 'pd-3'];
  world.start();
  await world.online(...ids);
  let done = false;
  const change = setBusSpeed(world.bus, 115_200).finally(() => (done = true));
  let longestMs = 0;
  while (!done) {
    // An unlock of the last one is executed at any time, whatever the rate of the moment.
    const beganAtMs = world.clock.monotonicMs();
    const command = { deviceId: 'pd-3', outputNumber: 0, action: { kind: 'off' }, ttlMs: 1_000 } as const;
    const outcome = await world.settle(world.field.setOutput(command));
    if (outcome.kind === 'acknowledged') longestMs = Math.max(longestMs, world.clock.monotonicMs() - beganAtMs);
    await world.clock.advance(50);
  }
  const { changed, devices } = await world.settle(change);
  t.ok(changed);
  t.same(
    [...devices.values()].map(({ kind, baudRate }) => [kind, baudRate]),
    ids.map(() => ['moved', 115_200]),
  );
  t.equal(world.bus.baudRate, 115_200);
  t.ok(longestMs < 500, `an unlock meanwhile: ${longestMs.toFixed(0)} ms at most`);
  await world.clock.advance(5_000);
  t.equal(world.link.baudRate, 115_200);
  for (const id of ids) t.match(world.health(id), { link: 'online', secure: true, sessionStartCount: 2 }, id);
  await world.field.stop();
});

t.test('the speed is rolled back at every device when one of them does not follow', async (t) => {
  for (const quirk of ['comsetIgnoresBaud', 'comsetWithoutEffect'] as const) {
    const world = new BusWorld([0, 1, 2].map((address) => ({ address })));
    world.start();
    await world.online('pd-0', 'pd-1', 'pd-2');
    world.reader('pd-1').device.setQuirks([quirk]);
    const { changed, devices } = await world.settle(setBusSpeed(world.bus, 38_400));
    t.notOk(changed);
    t.match(
      [...devices],
      [
        ['pd-0', { kind: 'kept', baudRate: 9_600, code: 'ERR_BUS_COMSET_UNDONE' }],
        ['pd-1', { kind: 'kept', baudRate: 9_600, code: 'ERR_BUS_COMSET_UNDONE' }],
      ],
    );
    await world.clock.advance(3_000);
    for (const id of ['pd-0', 'pd-1', 'pd-2']) t.match(world.health(id), { link: 'online', secure: true }, id);
    t.same([world.bus.baudRate, world.link.baudRate], [9_600, 9_600]);
    await world.field.stop();
  }
});

t.test('a change of speed that would strand a device is refused before anything is sent', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1, absent: true }]);
  world.start();
  await world.online('pd-0');
  await world.clock.advance(2_000);
  t.equal(await world.settle(codeOf(setBusSpeed(world.bus, 38_400))), 'ERR_BUS_DEVICE_OFFLINE');
  const many = new BusWorld(
    Array.from({ length: 30 }, (_, address) => ({ address })),
    { baudRate: 115_200 },
  );
  many.start();
  t.equal(await many.settle(codeOf(setBusSpeed(many.bus, 9_600))), 'ERR_BUS_POLL_PERIOD');
  await many.field.stop();
  Object.defineProperty(world.link, 'canSetBaudRate', { value: false });
  t.equal(await world.settle(codeOf(setBusSpeed(world.bus, 38_400))), 'ERR_BUS_RATE_FIXED');
  t.equal(world.reader('pd-0').device.memory.baudRate, 9_600);
  await world.field.stop();
});

t.test('a reader that vanishes in the middle is lost for certain, and looked for where it was', async (t) => {
  const world = new BusWorld([{ address: 0, scbk: keyOf(0) }]);
  world.start();
  await world.online('pd-0');
  world.bus.tap(({ direction, bytes }) => {
    if (direction === 'acu' && bytes[7] === 0x6e)
      world.clock.setTimer(40, () => world.reader('pd-0').device.setConnected(false));
  });
  const result = await world.settle(comset(world.bus, 'pd-0', { address: 3 }));
  t.match(result, { kind: 'lost', address: 0, code: 'ERR_BUS_COMSET_LOST' });
  t.equal(world.bus.device('pd-0').address, 0);
  await world.field.stop();
});
