import { NAK, SCBK_DEFAULT } from '@sparc/protocol/osdp';
import { FACTORY_MEMORY, PdDevice, pdProfile, type DeviceMemory } from '@sparc/simulator/devices';
import { SeededRandom, SerialLine, VirtualClock } from '@sparc/simulator/world';
import t from 'tap';
import { DeskAcu } from '../../support/desk-acu.js';

const KEY = Uint8Array.from({ length: 16 }, (_, index) => 200 - index);

function deskOf(memory: DeviceMemory) {
  const clock = new VirtualClock();
  const line = new SerialLine(clock, new SeededRandom(1));
  const parts = { ...memory, installMode: memory.scbk === undefined, readerCount: 1, inputCount: 1, outputCount: 1 };
  const device = new PdDevice(clock, new SeededRandom(2), line, 'desk', pdProfile(parts));
  const memories: DeviceMemory[] = [];
  device.onMemory = (each) => memories.push(each);
  return { clock, device, memories, acu: new DeskAcu(clock, line, memory.address, memory.baudRate) };
}

t.test('a device from the factory answers at address 0 and 9600 baud, and takes its address in clear', async (t) => {
  const { acu, memories } = deskOf(FACTORY_MEMORY);
  t.match(await acu.ask({ name: 'ID', type: 0 }), { name: 'PDID' });
  t.match(await acu.ask({ name: 'COMSET', address: 4, baudRate: 38_400 }), { name: 'COM', address: 4 });
  t.same(memories, [{ address: 4, baudRate: 38_400 }]);
  acu.address = 4;
  acu.port.baudRate = 38_400;
  t.match(await acu.ask({ name: 'ID', type: 0 }), { name: 'PDID' });
});

t.test('a key set under SCBK-D ends install mode: nothing in clear and no SCBK-D any more', async (t) => {
  const { acu, memories } = deskOf(FACTORY_MEMORY);
  t.equal(await acu.handshake(SCBK_DEFAULT), true);
  t.match(await acu.askSecure({ name: 'KEYSET', keyType: 1, key: KEY }), { name: 'ACK' });
  t.same(memories, [{ ...FACTORY_MEMORY, scbk: KEY }]);
  t.equal(await acu.handshake(SCBK_DEFAULT), false);
  t.match(await acu.ask({ name: 'POLL' }), { name: 'NAK', error: NAK.encryptionRequired });
  t.equal(await acu.handshake(KEY), true);
  t.match(await acu.askSecure({ name: 'POLL' }), { name: 'ACK' });
});

t.test('address, rate and key survive a power cut', async (t) => {
  const { clock, acu, device } = deskOf(FACTORY_MEMORY);
  await acu.handshake(SCBK_DEFAULT);
  await acu.askSecure({ name: 'KEYSET', keyType: 1, key: KEY });
  await acu.askSecure({ name: 'COMSET', address: 7, baudRate: 19_200 });
  device.powerCycle(3_000);
  await clock.advance(3_000);
  t.same(device.memory, { address: 7, baudRate: 19_200, scbk: KEY });
  acu.address = 7;
  acu.port.baudRate = 19_200;
  t.equal(await acu.handshake(KEY), true);
});

t.test('a factory reset forgets key, address and rate, and drops what was on', async (t) => {
  const { acu, device, memories } = deskOf({ address: 5, baudRate: 115_200, scbk: KEY });
  let active = false;
  device.wireOutput(0, (on) => (active = on));
  t.equal(await acu.handshake(SCBK_DEFAULT), false);
  t.equal(await acu.handshake(KEY), true);
  await acu.askSecure({ name: 'OUT', records: [{ output: 0, code: 2, timerTicks: 0 }] });
  t.equal(active, true);
  device.factoryReset();
  t.same([active, device.secure], [false, false]);
  t.same(memories, [FACTORY_MEMORY]);
  acu.address = FACTORY_MEMORY.address;
  acu.port.baudRate = FACTORY_MEMORY.baudRate;
  t.equal(await acu.handshake(KEY), false);
  t.equal(await acu.handshake(SCBK_DEFAULT), true);
});
