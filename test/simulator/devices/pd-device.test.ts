import {
  decodeFrame,
  decodeReply,
  encodeCommand,
  encodeFrame,
  LED_COLOR,
  OUTPUT_CODE,
  type Command,
  type Reply,
} from '@sparc/protocol/osdp';
import {
  PdDevice,
  pdProfile,
  SimulatedDoor,
  SimulatedLock,
  SimulatedReader,
  wireContact,
  wireLock,
} from '@sparc/simulator/devices';
import { SeededRandom, SerialLine, VirtualClock } from '@sparc/simulator/world';
import t from 'tap';

const ADDRESS = 5;

/** A reader with a relay and an input, in clear, and somebody who asks it things. */
function deskOf() {
  const clock = new VirtualClock();
  const line = new SerialLine(clock, new SeededRandom(1));
  const profile = pdProfile({ address: ADDRESS, baudRate: 9_600, readerCount: 1, inputCount: 1, outputCount: 1 });
  const device = new PdDevice(clock, new SeededRandom(2), line, 'desk', profile);
  const reader = new SimulatedReader('desk-reader', device, 0);
  const replies: Reply[] = [];
  const acu = line.attach('acu', 9_600, (bytes) => {
    const frame = decodeFrame(bytes.subarray(bytes.indexOf(0x53)));
    const reply = frame.ok ? decodeReply(frame.value) : frame;
    if (reply.ok) replies.push(reply.value);
  });
  /** Each at SQN 0, which a PD takes as a new start. */
  const ask = async (command: Command) => {
    replies.length = 0;
    const { code, payload } = encodeCommand(command);
    acu.transmit(encodeFrame({ address: ADDRESS, reply: false, sequence: 0, check: 'crc', code, payload }));
    await clock.advance(100);
    return replies[0];
  };
  /** All that it has to report. */
  const poll = async () => {
    const reports: Reply[] = [];
    for (let reply = await ask({ name: 'POLL' }); reply?.name !== 'ACK' && reply; reply = await ask({ name: 'POLL' })) {
      reports.push(reply);
    }
    return reports;
  };
  return { clock, device, reader, ask, poll };
}

const record = (code: number, timerTicks: number): Command => ({
  name: 'OUT',
  records: [{ output: 0, code, timerTicks }],
});

t.test('cards and keys are reported one at a time, in order', async (t) => {
  const { reader, poll } = deskOf();
  reader.presentCard({ bitCount: 26, bits: Uint8Array.of(1, 2, 3, 64) });
  reader.pressKeys('1*#');
  const [card, keys] = await poll();
  t.match(card, { name: 'RAW', reader: 0, bitCount: 26 });
  t.match(keys, { name: 'KEYPAD', keys: Uint8Array.of(0x31, 0x7f, 0x0d) });
});

t.test('a timed output energises the lock, and relocks it without a further word', async (t) => {
  const { clock, device, ask } = deskOf();
  const lock = new SimulatedLock('lock', 'failSecure', clock);
  wireLock(device, 0, lock);
  await ask(record(OUTPUT_CODE.temporaryOn, 30));
  t.equal(lock.released, true);
  await clock.advance(3_000);
  t.equal(lock.released, false);
});

t.test('a power cut drops the lock and darkens the reader; afterwards the device answers again', async (t) => {
  const { clock, device, reader, ask } = deskOf();
  const lock = new SimulatedLock('lock', 'failSecure', clock);
  wireLock(device, 0, lock);
  await ask(record(OUTPUT_CODE.permanentOn, 0));
  const green = { onTicks: 1, offTicks: 0, onColor: LED_COLOR.green, offColor: LED_COLOR.off };
  await ask({
    name: 'LED',
    records: [{ reader: 0, led: 0, temporary: { code: 0, ...green, timerTicks: 0 }, permanent: { code: 1, ...green } }],
  });
  t.same([lock.released, reader.led.color], [true, 'green']);
  device.powerCycle(5_000);
  t.same([lock.released, reader.led.color], [false, 'off']);
  t.equal(await ask({ name: 'POLL' }), undefined);
  await clock.advance(5_000);
  t.match(await ask({ name: 'ID', type: 0 }), { name: 'PDID', vendor: '0a0b0c' });
});

t.test('a contact is reported as it changes, and again after a power cut', async (t) => {
  const { clock, device, poll } = deskOf();
  const door = new SimulatedDoor('door', new SimulatedLock('lock', 'failSecure', clock), clock);
  wireContact(device, 0, door, 'active');
  await poll();
  door.force();
  door.hold();
  await clock.advance(1_000);
  t.match((await poll()).at(-1), { name: 'ISTATR', inputs: [1] });
  device.powerCycle(1_000);
  await clock.advance(1_000);
  t.match((await poll()).at(-1), { name: 'ISTATR', inputs: [1] });
});

t.test('tamper is reported; a busy device says so', async (t) => {
  const { device, ask, poll } = deskOf();
  device.setTampered(true);
  t.match(await poll(), [{ name: 'LSTATR', tampered: true }]);
  device.beBusy(1);
  t.match(await ask({ name: 'POLL' }), { name: 'BUSY' });
  t.match(await ask({ name: 'POLL' }), { name: 'ACK' });
});

t.test('COM leaves at the old rate, and the device listens at the new one afterwards', async (t) => {
  const { ask } = deskOf();
  t.match(await ask({ name: 'COMSET', address: ADDRESS, baudRate: 38_400 }), { name: 'COM', baudRate: 38_400 });
  t.equal(await ask({ name: 'POLL' }), undefined);
});
