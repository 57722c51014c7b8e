import t from 'tap';
import type { TappedFrame } from '@sparc/firmware-bridges/osdp';
import { DIALECTS } from '@sparc/protocol/osdp';
import { BusWorld, keyOf } from './bus-world.js';

const secured = (address: number) => ({ mode: 'required', scbk: keyOf(address) }) as const;
const planOf = (...addresses: number[]) =>
  addresses.map((address) => ({ deviceId: `pd-${address}`, address, secureChannel: secured(address) }));

t.test('a device that comes or goes disturbs none of its neighbours', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1 }, { address: 2 }]);
  world.start();
  t.ok(await world.online('pd-0', 'pd-1', 'pd-2'));
  world.add('pd-3', 3, keyOf(3));
  const statuses = world.witness.devices.length;
  world.field.setDevices('bus', planOf(0, 1, 2, 3));
  t.ok(await world.online('pd-3'));
  for (let trial = 0; trial < 20; trial++) {
    await world.clock.advance(211 + 7 * trial);
    world.field.setDevices('bus', planOf(0, 1, 2));
    await world.clock.advance(60 + trial);
    world.field.setDevices('bus', planOf(0, 1, 2, 3));
  }
  t.ok(await world.online('pd-3'));
  const others = world.witness.devices.slice(statuses).filter(({ deviceId }) => deviceId !== 'pd-3');
  t.same(others, [], 'their status never changed');
  for (const id of ['pd-0', 'pd-1', 'pd-2']) {
    t.match(world.health(id), { sessionStartCount: 1, sessionRestartCount: 0, timeoutCount: 0, badCheckCount: 0 });
  }
  t.equal(world.line.collisions, 0);
  t.same(world.witness.alarms, []);
  await world.field.stop();
});

t.test('a device that was taken off is asked nothing more, and every command to it is answered', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1 }]);
  world.start();
  await world.online('pd-0', 'pd-1');
  const action = { kind: 'onFor', durationMs: 1_000 } as const;
  const answer = world.field.setOutput({ deviceId: 'pd-1', outputNumber: 0, action, ttlMs: 1_000 });
  world.field.setDevices('bus', planOf(0));
  t.not((await world.settle(answer)).kind, 'acknowledged');
  const asked: number[] = [];
  world.bus.tap(({ direction, bytes }) => direction === 'acu' && asked.push(bytes[1] ?? 0));
  await world.clock.advance(2_000);
  t.same(new Set(asked), new Set([0]));
  t.equal(world.bus.health().devices.length, 1);
  await world.field.stop();
});

t.test('two devices swap their addresses in one plan', async (t) => {
  const world = new BusWorld([
    { address: 0, scbk: keyOf(1) },
    { address: 1, scbk: keyOf(0) },
  ]);
  world.start();
  await world.clock.advance(3_000);
  t.equal(world.witness.device('pd-0')?.link, 'offline', 'its key is that of the other');
  world.field.setDevices('bus', [
    { deviceId: 'pd-0', address: 1, secureChannel: secured(0) },
    { deviceId: 'pd-1', address: 0, secureChannel: secured(1) },
  ]);
  t.ok(await world.online('pd-0', 'pd-1'));
  await world.field.stop();
});

t.test('devices that come to share an address are both refused, told once, and return when one is moved', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1 }]);
  world.start();
  await world.online('pd-0', 'pd-1');
  const clash = [...planOf(0), { deviceId: 'pd-1', address: 0, secureChannel: secured(1) }];
  world.field.setDevices('bus', clash);
  world.field.setDevices('bus', clash);
  t.same(
    world.witness.alarms.map(({ deviceId, code }) => [deviceId, code]),
    [
      ['pd-0', 'ERR_OSDP_ADDRESS_CONFLICT'],
      ['pd-1', 'ERR_OSDP_ADDRESS_CONFLICT'],
    ],
  );
  t.equal(world.witness.device('pd-0')?.link, 'offline');
  world.field.setDevices('bus', planOf(0, 1));
  t.ok(await world.online('pd-0', 'pd-1'));
  await world.field.stop();
});

t.test('a key that everybody can guess keeps its own device off the bus, and no other', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1 }]);
  world.start();
  await world.online('pd-0', 'pd-1');
  const weak = { mode: 'required', scbk: new Uint8Array(16) } as const;
  world.field.setDevices('bus', [...planOf(0), { deviceId: 'pd-1', address: 1, secureChannel: weak }]);
  t.match(world.witness.alarms, [{ deviceId: 'pd-1', code: 'ERR_OSDP_KEY_WEAK' }]);
  t.same([world.witness.device('pd-0')?.link, world.witness.device('pd-1')?.link], ['online', 'offline']);
  await world.field.stop();
});

t.test('a key that is changed at run time is told of when the device has proven it', async (t) => {
  const proven: string[] = [];
  const world = new BusWorld([{ address: 0 }], { onKeyProven: (id, scbk) => proven.push(`${id} ${scbk[0]}`) });
  world.start();
  await world.online('pd-0');
  const [scbk, formerScbk] = [keyOf(9), keyOf(0)];
  proven.length = 0;
  world.bus.configure('pd-0', { secureChannel: { mode: 'required', scbk, formerScbk } });
  t.ok(await world.online('pd-0'));
  t.same(proven, [`pd-0 ${formerScbk[0]}`], 'it has the former one still');
  const outcome = world.bus.send(
    'pd-0',
    { name: 'KEYSET', keyType: 1, key: scbk },
    { priority: 'normal', ttlMs: 1_000 },
  );
  t.equal((await world.settle(outcome)).kind, 'acknowledged');
  await world.clock.advance(2_000);
  t.same(proven.slice(1), [`pd-0 ${scbk[0]}`]);
  t.equal(world.witness.device('pd-0')?.secure, true);
  const restarts = world.health('pd-0')?.sessionStartCount;
  world.field.setDevices('bus', [{ deviceId: 'pd-0', address: 0, secureChannel: { mode: 'required', scbk } }]);
  await world.clock.advance(2_000);
  t.equal(world.health('pd-0')?.sessionStartCount, restarts, 'a plan with the proven key changes nothing');
  await world.field.stop();
});

t.test('a device that is planned with another dialect begins anew, alone', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1 }]);
  world.start();
  await world.online('pd-0', 'pd-1');
  const [first, second] = planOf(0, 1);
  if (first === undefined || second === undefined) throw new Error('two were planned');
  const spoken = { ...first, dialect: DIALECTS.libosdp };
  world.field.setDevices('bus', [spoken, second]);
  t.equal(world.bus.device('pd-0').plan.dialect, DIALECTS.libosdp);
  t.not(world.witness.device('pd-0')?.link, 'online');
  t.ok(await world.online('pd-0', 'pd-1'));
  await world.clock.advance(1_000);
  t.match(world.health('pd-0'), { sessionStartCount: 1 }, 'counted from its new beginning');
  world.field.setDevices('bus', [{ ...spoken }, second]);
  await world.clock.advance(1_000);
  t.match([world.health('pd-0'), world.health('pd-1')], [{ sessionStartCount: 1 }, { sessionStartCount: 1 }]);
  await world.field.stop();
});

/** What is done as soon as one hears of this device being offline, in the middle of its turn. */
function whenOffline(world: BusWorld, id: string, act: () => void): void {
  const tell = world.witness.onDevice.bind(world.witness);
  world.witness.onDevice = (status) => {
    tell(status);
    if (status.deviceId === id && status.link === 'offline') act();
  };
}

t.test('a device that is taken off by whoever hears of its silence leaves the line to its neighbours', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1, absent: true }]);
  whenOffline(world, 'pd-1', () => world.field.setDevices('bus', planOf(0)));
  world.start();
  await world.clock.advance(5_000);
  t.equal(world.bus.devices.length, 1);
  const before = world.health('pd-0')?.replyCount ?? 0;
  await world.clock.advance(1_000);
  t.ok((world.health('pd-0')?.replyCount ?? 0) > before + 5);
  await world.field.stop();
});

t.test('a device that is planned anew when its window closes leaves the line to its neighbours', async (t) => {
  const untilMs = 3_000;
  const world = new BusWorld([{ address: 0 }, { address: 1, plan: { mode: 'install', untilMs }, absent: true }]);
  const started = world.clock.monotonicMs();
  whenOffline(world, 'pd-1', () => {
    if (world.clock.monotonicMs() >= started + untilMs) world.field.setDevices('bus', planOf(0, 1));
  });
  world.start();
  await world.clock.advance(5_000);
  const before = world.health('pd-0')?.replyCount ?? 0;
  await world.clock.advance(1_000);
  t.ok((world.health('pd-0')?.replyCount ?? 0) > before + 5);
  await world.field.stop();
});

t.test('a tap sees every frame in both directions until it is closed', async (t) => {
  const world = new BusWorld([{ address: 0 }]);
  world.start();
  await world.online('pd-0');
  const frames: TappedFrame[] = [];
  const close = world.bus.tap((frame) => frames.push(frame));
  await world.clock.advance(1_000);
  close();
  const count = frames.length;
  await world.clock.advance(1_000);
  t.equal(frames.length, count);
  t.ok(count > 20);
  t.ok(frames.every(({ direction, bytes }) => bytes[0] === 0x53 && bytes[1] === (direction === 'acu' ? 0x00 : 0x80)));
  t.ok(frames.every(({ atMs }, index) => index === 0 || atMs >= (frames[index - 1]?.atMs ?? 0)));
  await world.field.stop();
});
