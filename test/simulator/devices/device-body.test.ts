import { bytesToHex, type Command, type Reply } from '@sparc/protocol/osdp';
import { firmwareImage, MODEL, PdDevice, pdProfile, SimulatedSmartCard } from '@sparc/simulator/devices';
import { SeededRandom, SerialLine, VirtualClock } from '@sparc/simulator/world';
import t from 'tap';
import { DeskAcu } from '../../support/desk-acu.js';

const FRAGMENT_SIZE = 200;
const SUCCESS = 0;
const TIMEOUT = 1;
const OBJECT = Uint8Array.from({ length: 700 }, (_, index) => index & 0xff);

async function deskOf() {
  const clock = new VirtualClock();
  const line = new SerialLine(clock, new SeededRandom(1));
  const memory = { address: 2, baudRate: 115_200, scbk: new Uint8Array(16).fill(9) };
  const parts = { ...memory, readerCount: 1, inputCount: 0, outputCount: 0 };
  const device = new PdDevice(clock, new SeededRandom(2), line, 'desk', pdProfile(parts));
  const acu = new DeskAcu(clock, line, memory.address, memory.baudRate);
  await acu.handshake(memory.scbk);
  /** What it reports in the end. */
  const poll = async (): Promise<Reply> => {
    for (let count = 0; count < 100; count++) {
      const reply = await acu.askSecure({ name: 'POLL' });
      if (reply !== undefined && reply.name !== 'ACK') return reply;
    }
    throw new Error('it reports nothing');
  };
  /** Sends a file in fragments, then asks until it is processed: the last status. */
  const send = async (file: Uint8Array) => {
    const message = (offset: number): Command => ({
      name: 'FILETRANSFER',
      type: 1,
      totalSize: file.length,
      offset,
      data: file.subarray(offset, offset + FRAGMENT_SIZE),
    });
    for (let offset = 0; ; offset = Math.min(file.length, offset + FRAGMENT_SIZE)) {
      const reply = await acu.askSecure(message(offset));
      if (reply?.name !== 'FTSTAT') throw new Error(`${reply?.name} for FTSTAT`);
      if (reply.status !== 0 && reply.status !== 3) return reply.status;
      await clock.advance(reply.delayMs);
    }
  };
  return { clock, device, acu, memory, poll, send };
}

t.test('firmware for its model is in force after the restart that follows, and stays over a power cut', async (t) => {
  const { clock, device, acu, memory, send } = await deskOf();
  const image = firmwareImage(MODEL.reader, { major: 2, minor: 3, build: 4 }, 5_000);
  t.equal(await send(image), 2, 'it will restart');
  t.same(device.body.files.stored, image, 'byte for byte');
  await clock.advance(3_000);
  t.match(await acu.ask({ name: 'ID', type: 0 }), { firmware: { major: 2, minor: 3, build: 4 } });
  device.powerCycle(1_000);
  await clock.advance(1_000);
  t.match(await acu.ask({ name: 'ID', type: 0 }), { firmware: { major: 2, minor: 3, build: 4 } });
  t.equal(await acu.handshake(memory.scbk), true, 'with the key it had');
});

t.test('firmware for another model is refused; the old one goes on', async (t) => {
  const { clock, acu, send } = await deskOf();
  t.equal(await send(firmwareImage(MODEL.ioModule, { major: 9, minor: 0, build: 0 }, 2_000)), -2);
  await clock.advance(3_000);
  t.match(await acu.ask({ name: 'ID', type: 0 }), { firmware: { major: 1, minor: 0, build: 0 } });
});

t.test('what is no firmware is kept as configuration, without a restart', async (t) => {
  const { device, acu, send } = await deskOf();
  const file = Uint8Array.from({ length: 450 }, (_, index) => index & 0x7f);
  t.equal(await send(file), 1);
  t.same(device.body.files.stored, file);
  t.match(await acu.askSecure({ name: 'POLL' }), { name: 'ACK' });
});

t.test('a finger is read and compared; without one the sensor gives up', async (t) => {
  const { device, acu, poll } = await deskOf();
  const template = Uint8Array.of(1, 2, 3, 4);
  const read: Command = { name: 'BIOREAD', reader: 0, type: 2, format: 2, quality: 100 };
  t.match(await acu.askSecure(read), { name: 'ACK' });
  device.body.layFinger(template);
  t.match(await poll(), { name: 'BIOREADR', status: SUCCESS });
  await acu.askSecure({ ...read, name: 'BIOMATCH', template });
  t.match(await poll(), { name: 'BIOMATCHR', status: SUCCESS, score: 255 });
  await acu.askSecure({ ...read, name: 'BIOMATCH', template: Uint8Array.of(9) });
  t.match(await poll(), { name: 'BIOMATCHR', score: 0 });
  device.body.layFinger(undefined);
  await acu.askSecure(read);
  t.match(await poll(), { name: 'BIOREADR', status: TIMEOUT });
});

t.test('a chip card in the field answers: objects, proofs and APDUs', async (t) => {
  const { device, acu, poll } = await deskOf();
  const objects = new Map([['5fc102', OBJECT]]);
  device.body.holdCard(new SimulatedSmartCard(Uint8Array.of(4, 5, 6, 7), objects));
  await acu.askSecure({ name: 'PIVDATA', objectId: '5fc102', element: 0, offset: 0, offsetSize: 2 });
  t.match(await poll(), { name: 'PIVDATAR', totalSize: OBJECT.length, offset: 0 });
  const challenge = Uint8Array.of(0x07, 0x9e, 1, 2, 3);
  await acu.askSecure({ name: 'CRAUTH', head: new Uint8Array(0), totalSize: 5, offset: 0, data: challenge });
  let reply = await poll();
  while (reply.name === 'PIVDATAR') reply = await poll();
  t.match(reply, { name: 'CRAUTHR', data: Uint8Array.of(3, 2, 1) });

  await acu.askSecure({ name: 'XWR', mode: 0, command: 2, data: Uint8Array.of(1, 1) });
  t.match(await poll(), { name: 'XRD', mode: 0, reply: 2 }, 'it tells of the card by itself');
  const getData = Uint8Array.of(0, 0x00, 0xcb, 0x3f, 0xff, 5, 0x5c, 3, 0x5f, 0xc1, 0x02);
  await acu.askSecure({ name: 'XWR', mode: 1, command: 1, data: getData });
  const xrd = await poll();
  t.equal(xrd.name === 'XRD' && bytesToHex(xrd.data).endsWith('9000'), true);
});
