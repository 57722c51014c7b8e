import t from 'tap';
import { BusWorld, keyOf } from './bus-world.js';
import { ScriptedPd } from './scripted-pd.js';

const CARD = { bitCount: 26, bits: Uint8Array.of(0xcd, 0x22, 0xc7, 0xff) };
const eight = () => Array.from({ length: 8 }, (_, address) => ({ address }));
const ids = (count: number) => Array.from({ length: count }, (_, index) => `pd-${index}`);

t.test('a card, keys, inputs and tamper of a secure reader become events of the port', async (t) => {
  const world = new BusWorld([{ address: 3 }]);
  world.start();
  t.ok(await world.online('pd-0'));
  t.equal(world.witness.device('pd-0')?.secure, true);
  await world.clock.advance(500);
  t.same(
    world.witness.inputs.map(({ inputNumber, state }) => [inputNumber, state]),
    [
      [0, 'inactive'],
      [1, 'inactive'],
    ],
    'every input once',
  );
  const reader = world.reader('pd-0');
  reader.presentCard(CARD);
  reader.pressKeys('12#');
  reader.device.setInput(1, true);
  reader.device.setTampered(true);
  await world.clock.advance(1_000);
  const [card] = world.witness.cards;
  t.match(card, { deviceId: 'pd-0', readerNumber: 0, bitCount: 26, secure: true });
  t.same([...(card?.bits ?? [])], [0xcd, 0x22, 0xc7, 0xc0], 'padding bits are zero');
  t.ok((card?.ageMaxMs ?? Infinity) < 300);
  t.match(world.witness.keypads, [{ keys: '12#' }]);
  t.match(world.witness.inputs.at(-1), { inputNumber: 1, state: 'active' });
  t.equal(world.witness.device('pd-0')?.tampered, true);
  await world.field.stop();
});

t.test('an output of a device that is there is acknowledged; of others, certainly not executed', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1, absent: true }]);
  const changes: boolean[] = [];
  world.reader('pd-0').device.wireOutput(0, (active) => changes.push(active));
  world.start();
  await world.online('pd-0');
  const outcomes: string[] = [];
  for (const deviceId of ['pd-0', 'pd-1', 'nobody']) {
    void world.field
      .setOutput({ deviceId, outputNumber: 0, action: { kind: 'onFor', durationMs: 3_000 }, ttlMs: 1_000 })
      .then((outcome) => outcomes.push(outcome.kind === 'acknowledged' ? 'acknowledged' : outcome.error.code));
  }
  await world.clock.advance(5_000);
  t.same(outcomes.sort(), ['ERR_BUS_DEVICE_UNKNOWN', 'ERR_OSDP_SILENT', 'acknowledged']);
  t.same(changes, [true, false], 'on, and off by itself');
  await world.field.stop();
});

t.test('on a bus of eight, an unlock leaves before any further poll', async (t) => {
  const world = new BusWorld(eight());
  world.start();
  t.ok(await world.online(...ids(8)));
  await world.clock.advance(3_000);
  const frames: { address: number; code: number }[] = [];
  world.line.onRecord = ({ from, bytes }) => {
    // Mark, SOM, address, length, control, security block of 2, code.
    if (from === 'line') frames.push({ address: bytes[2] ?? 0, code: bytes[8] ?? 0 });
  };
  for (let trial = 0; trial < 64; trial++) {
    frames.length = 0;
    const address = trial % 8;
    let done = false;
    void world.field
      .setOutput({ deviceId: `pd-${address}`, outputNumber: 0, action: { kind: 'off' }, ttlMs: 1_000 })
      .then(() => (done = true));
    await world.clock.runUntil(() => done, 1_000);
    // A frame is recorded when its last bit has passed: one may have been on the line already.
    const unlockIndex = frames.findIndex((frame) => frame.address === address && frame.code === 0x68);
    if (unlockIndex !== 0 && unlockIndex !== 1) t.fail(`the unlock of ${address} was frame ${unlockIndex}`);
    await world.clock.advance(37 + 11 * (trial % 5));
  }
  t.pass();
  await world.field.stop();
});

t.test(
  'an unlock whose first frame is lost is repeated after one turn of a neighbour, not after a round',
  async (t) => {
    const world = new BusWorld(eight());
    world.start();
    t.ok(await world.online(...ids(8)));
    await world.clock.advance(3_000);
    const codes: number[] = [];
    world.line.onRecord = ({ from, bytes }) => {
      if (from !== 'line') return;
      const [code = 0] = bytes.subarray(8);
      // Nobody hears the first one.
      if (code === 0x68 && !codes.includes(code)) world.line.condition = 'stuckMark';
      else world.line.condition = undefined;
      codes.push(code);
    };
    for (let trial = 0; trial < 8; trial++) {
      codes.length = 0;
      const unlock = { deviceId: `pd-${trial}`, outputNumber: 0, action: { kind: 'off' }, ttlMs: 2_000 } as const;
      t.equal((await world.settle(world.field.setOutput(unlock))).kind, 'acknowledged');
      const [first = -1, second = Infinity] = codes.flatMap((code, index) => (code === 0x68 ? [index] : []));
      t.ok(second - first <= 2, `${second - first - 1} frames between the two`);
      await world.clock.advance(2_000 + 13 * trial);
    }
    await world.field.stop();
  },
);

t.test('on a bus of eight at 9,600 baud, card to light on the reader takes less than half a second', async (t) => {
  const world = new BusWorld(eight());
  world.start();
  await world.online(...ids(8));
  // Until everybody has been asked everything: on this line eight new sessions take that long.
  await world.clock.advance(6_000);
  let longestMs = 0;
  for (let trial = 0; trial < 24; trial++) {
    const id = `pd-${trial % 8}`;
    const reader = world.reader(id);
    const cards = world.witness.cards.length;
    const presentedAtMs = world.clock.monotonicMs();
    reader.presentCard(CARD);
    await world.clock.runUntil(() => world.witness.cards.length > cards, 2_000);
    world.field.indicate(id, 0, 'granted');
    await world.clock.runUntil(() => reader.led.color === 'green', 2_000);
    longestMs = Math.max(longestMs, world.clock.monotonicMs() - presentedAtMs);
    await world.clock.advance(4_000 + 13 * trial);
  }
  t.ok(longestMs < 500, `${longestMs.toFixed(0)} ms`);
  t.comment(`presentation to light, longest of 24: ${longestMs.toFixed(0)} ms`);
  await world.field.stop();
});

t.test('an absent device costs its neighbours little', async (t) => {
  const polledWith = async (absent: boolean) => {
    const world = new BusWorld(absent ? [...eight(), { address: 9, absent: true }] : eight());
    world.start();
    await world.online(...ids(8));
    await world.clock.advance(60_000);
    const polls = world.health('pd-0')?.pollCount ?? 0;
    await world.field.stop();
    return polls;
  };
  const alone = await polledWith(false);
  const beside = await polledWith(true);
  t.ok(beside > 0.9 * alone, `${beside} of ${alone} polls`);
});

t.test('a wrong key, and a reader in clear where Secure Channel is required, keep only themselves out', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1, scbk: keyOf(99) }, { address: 2, scbk: null }]);
  world.start();
  t.ok(await world.online('pd-0'));
  await world.clock.advance(20_000);
  t.match(world.witness.device('pd-1'), { link: 'offline', secure: false, reason: 'ERR_OSDP_KEY_REJECTED' });
  t.match(world.witness.device('pd-2'), { link: 'offline', secure: false });
  t.ok(world.witness.alarms.some(({ deviceId, code }) => deviceId === 'pd-1' && code === 'ERR_OSDP_KEY_REJECTED'));
  t.ok(world.witness.alarms.some(({ deviceId }) => deviceId === 'pd-2'));
  t.equal(world.witness.device('pd-0')?.link, 'online');
  world.reader('pd-2').presentCard(CARD);
  await world.clock.advance(20_000);
  t.same(world.witness.cards, [], 'nothing of a reader in clear is believed');
  await world.field.stop();
});

t.test('a device configured to speak in clear is online without an alarm, and never called secure', async (t) => {
  const world = new BusWorld([{ address: 4, plan: { mode: 'clear' }, scbk: null }]);
  world.start();
  t.ok(await world.online('pd-0'));
  await world.clock.advance(5_000);
  t.equal(world.witness.device('pd-0')?.secure, false);
  t.same(world.witness.alarms, []);
  await world.field.stop();
});

t.test('two devices configured at one address are both refused by name, and the others go on', async (t) => {
  const world = new BusWorld([{ address: 1 }, { address: 2 }, { address: 1, absent: true }]);
  world.start();
  t.ok(await world.online('pd-1'));
  for (const id of ['pd-0', 'pd-2']) {
    t.match(world.witness.device(id), { link: 'offline', reason: 'ERR_OSDP_ADDRESS_CONFLICT' });
    t.ok(world.witness.alarms.some(({ deviceId, code }) => deviceId === id && code === 'ERR_OSDP_ADDRESS_CONFLICT'));
  }
  await world.field.stop();
});

t.test('two readers on the line with one address are noticed, and the others go on', async (t) => {
  const world = new BusWorld([{ address: 0 }, { address: 1 }]);
  world.add('twin', 1, keyOf(1));
  world.start();
  t.ok(await world.online('pd-0'));
  await world.clock.advance(20_000);
  t.ok(world.witness.alarms.some(({ deviceId, code }) => deviceId === 'pd-1' && code === 'ERR_OSDP_ADDRESS_CONFLICT'));
  t.equal(world.witness.device('pd-0')?.link, 'online');
  await world.field.stop();
});

t.test('a reader that lost its power shows the standing state again when it is back', async (t) => {
  const world = new BusWorld([{ address: 0 }]);
  world.start();
  await world.online('pd-0');
  world.field.indicate('pd-0', 0, 'unlocked');
  await world.clock.advance(1_000);
  const reader = world.reader('pd-0');
  t.equal(reader.led.color, 'green');
  world.field.indicate('pd-0', 0, 'locked');
  reader.device.powerCycle(3_000);
  await world.clock.advance(3_100);
  const inputsBefore = world.witness.inputs.length;
  t.ok(await world.clock.runUntil(() => reader.led.color === 'red', 20_000));
  t.equal(world.witness.device('pd-0')?.link, 'online');
  t.ok(world.witness.inputs.length > inputsBefore, 'every input is told again');
  await world.field.stop();
});

t.test('an unplugged adapter takes the bus down with its commands, and everything returns with it', async (t) => {
  const world = new BusWorld([{ address: 0 }]);
  world.start();
  await world.online('pd-0');
  world.link.unplug();
  await world.clock.settle();
  t.match(world.witness.buses.at(-1), { up: false, error: { code: 'ERR_BUS_DEVICE_UNPLUGGED' } });
  t.match(world.witness.device('pd-0'), { link: 'offline', reason: 'ERR_OSDP_LINE_DOWN' });
  let code = '';
  void world.field
    .setOutput({ deviceId: 'pd-0', outputNumber: 0, action: { kind: 'on' }, ttlMs: 1_000 })
    .then((outcome) => (code = outcome.kind === 'notExecuted' ? outcome.error.code : outcome.kind));
  await world.clock.advance(2_000);
  t.equal(code, 'ERR_OSDP_LINE_DOWN');
  world.link.plugIn();
  t.ok(await world.online('pd-0'));
  t.match(world.witness.buses.at(-1), { up: true });
  await world.field.stop();
});

t.test('a babbling device is named, and the bus works again when it is silenced', async (t) => {
  const world = new BusWorld(eight().slice(0, 3));
  world.start();
  await world.online(...ids(3));
  const babbler = world.line.attach('babbler', 9_600, () => undefined);
  let babbling = true;
  const babble = () => {
    if (!babbling) return;
    babbler.transmit(world.random.bytes(64));
    world.clock.setTimer(70, babble);
  };
  babble();
  await world.clock.advance(10_000);
  t.equal(world.witness.alarms.filter(({ code }) => code === 'ERR_BUS_BABBLING').length, 1);
  babbling = false;
  t.ok(await world.online(...ids(3)));
  await world.field.stop();
});

t.test('on a line that flips, loses, delays and repeats, the bus stays in use and is well soon after', async (t) => {
  const world = new BusWorld(eight().slice(0, 4), { baudRate: 38_400 });
  world.start();
  await world.online(...ids(4));
  world.line.faults.setRates({ corrupt: 0.02, drop: 0.02, loseByte: 0.01, noise: 0.02, split: 0.05, duplicate: 0.01 });
  await world.clock.advance(60_000);
  world.line.faults.heal();
  t.ok(await world.clock.runUntil(() => ids(4).every((id) => world.witness.device(id)?.link === 'online'), 35_000));
  const before = world.witness.cards.length;
  for (const id of ids(4)) world.reader(id).presentCard(CARD);
  t.ok(await world.clock.runUntil(() => world.witness.cards.length === before + 4, 2_000));
  t.notOk(world.witness.alarms.some(({ code }) => code === 'ERR_BUS_BABBLING'));
  await world.field.stop();
});

t.test('what a device says in forms that are not read is counted and named, and hurts nothing', async (t) => {
  const world = new BusWorld([{ address: 0, plan: { mode: 'clear' }, absent: true }]);
  const device = new ScriptedPd(world.line, 0);
  world.start();
  t.ok(await world.online('pd-0'));
  device.says.push(
    { name: 'FMT', reader: 0, direction: 0, characters: Uint8Array.of(0x31, 0x32) },
    { name: 'RAW', reader: 0, format: 0, bitCount: 0, bits: new Uint8Array() },
    { name: 'KEYPAD', reader: 0, keys: Uint8Array.of(0x05, 0x2a, 0xee) },
    { name: 'RSTATR', readers: [0, 2] },
    { name: 'ISTATR', inputs: [1, 77] },
  );
  await world.clock.advance(2_000);
  t.same(world.witness.cards, []);
  t.match(world.witness.keypads, [{ keys: '5*', secure: false }]);
  t.equal(world.witness.device('pd-0')?.tampered, true);
  t.match(world.witness.inputs, [{ state: 'active' }, { state: 'unknown' }]);
  t.match(world.witness.alarms, [{ deviceId: 'pd-0', code: 'ERR_BUS_CARD_DATA_UNSUPPORTED' }]);
  t.equal(world.health('pd-0')?.unsupportedReplyCount, 2);
  await world.field.stop();
});

t.test('an address that answers more often than it was asked is named', async (t) => {
  const world = new BusWorld([{ address: 0, plan: { mode: 'clear' }, absent: true }]);
  const device = new ScriptedPd(world.line, 0);
  world.start();
  await world.online('pd-0');
  device.answers = 2;
  await world.clock.advance(5_000);
  t.match(world.witness.alarms, [{ deviceId: 'pd-0', code: 'ERR_OSDP_ADDRESS_CONFLICT' }]);
  await world.field.stop();
});

t.test('a reader that knows checksums alone comes online and is heard', async (t) => {
  const world = new BusWorld([{ address: 0, plan: { mode: 'clear' }, absent: true }]);
  const device = new ScriptedPd(world.line, 0);
  device.check = 'checksum';
  world.start();
  t.ok(await world.online('pd-0'));
  device.says.push({ name: 'RAW', reader: 1, format: 0, bitCount: 26, bits: Uint8Array.of(1, 2, 3, 0xff) });
  await world.clock.advance(1_000);
  t.match(world.witness.cards, [{ readerNumber: 1, bits: Uint8Array.of(1, 2, 3, 0xc0) }]);
  t.same(world.witness.alarms, []);
  await world.field.stop();
});

t.test('an adapter that echoes every frame changes nothing', async (t) => {
  const world = new BusWorld(eight().slice(0, 2));
  world.line.faults.setRates({ echo: 1 });
  world.start();
  t.ok(await world.online(...ids(2)));
  world.reader('pd-1').presentCard(CARD);
  const action = { kind: 'onFor', durationMs: 3_000 } as const;
  const answer = world.field.setOutput({ deviceId: 'pd-0', outputNumber: 0, action, ttlMs: 1_000 });
  await world.clock.advance(5_000);
  t.equal((await answer).kind, 'acknowledged');
  t.equal(world.witness.cards.length, 1);
  t.same(world.witness.alarms, []);
  t.match(world.field.health()[0], { strayBytesCount: 0, echo: true });
  t.equal(world.health('pd-0')?.timeoutCount, 0);
  await world.field.stop();
});

t.test('32 secure readers on a bus of 9,600 baud are all online within ten seconds, some absent or not', async (t) => {
  for (const absentCount of [0, 8]) {
    const world = new BusWorld(
      Array.from({ length: 32 }, (_, address) => ({ address, absent: address < absentCount })),
    );
    world.start();
    const present = ids(32).slice(absentCount);
    const online = () => present.every((id) => world.witness.device(id)?.link === 'online');
    t.ok(await world.clock.runUntil(online, 10_000));
    await world.field.stop();
  }
});

t.test('a lost answer is asked for again, and the counters tell', async (t) => {
  const world = new BusWorld([{ address: 0, plan: { mode: 'clear' }, absent: true }]);
  const device = new ScriptedPd(world.line, 0);
  world.start();
  await world.online('pd-0');
  await world.clock.advance(1_000);
  device.answers = 0;
  await world.clock.advance(150);
  device.answers = 1;
  await world.clock.advance(1_000);
  const health = world.health('pd-0');
  t.match(health, {
    timeoutCount: 1,
    retryCount: 1,
    badCheckCount: 0,
    sessionStartCount: 0,
    naks: [{ code: 3, count: 3 }],
  });
  t.equal(health?.sentCount, (health?.replyCount ?? 0) + 1);
  t.equal(world.witness.device('pd-0')?.link, 'online');
  await world.field.stop();
});

t.test('a stopped bus is silent, and every command has an answer', async (t) => {
  const world = new BusWorld([{ address: 0 }]);
  world.start();
  await world.online('pd-0');
  const answer = world.field.setOutput({ deviceId: 'pd-0', outputNumber: 0, action: { kind: 'on' }, ttlMs: 1_000 });
  await world.field.stop();
  t.not((await answer).kind, 'acknowledged');
  const bytes = world.line.bytesCarried;
  await world.clock.advance(1_000);
  t.ok(world.line.bytesCarried - bytes <= 32, 'at most the frame under way and its reply');
});
