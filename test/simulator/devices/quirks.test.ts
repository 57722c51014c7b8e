import { NAK, SCBK_DEFAULT, type Command } from '@sparc/protocol/osdp';
import {
  FACTORY_MEMORY,
  PdDevice,
  pdProfile,
  READER_QUIRK_NAMES,
  SimulatedReader,
  SimulatedSmartCard,
  type DeviceMemory,
  type ReaderQuirk,
} from '@sparc/simulator/devices';
import { SeededRandom, SerialLine, VirtualClock } from '@sparc/simulator/world';
import t, { type Test } from 'tap';
import { DeskAcu } from '../../support/desk-acu.js';

const KEY = Uint8Array.from({ length: 16 }, (_, index) => 200 - index);
const KEYED: DeviceMemory = { address: 3, baudRate: 9_600, scbk: KEY };

const ID: Command = { name: 'ID', type: 0 };
const POLL: Command = { name: 'POLL' };
const KEYSET: Command = { name: 'KEYSET', keyType: 1, key: KEY };
const BUZ: Command = { name: 'BUZ', reader: 0, tone: 2, onTicks: 1, offTicks: 1, count: 1 };

function deskOf(quirk: ReaderQuirk, memory: DeviceMemory) {
  const clock = new VirtualClock();
  const line = new SerialLine(clock, new SeededRandom(1));
  const parts = { ...memory, installMode: memory.scbk === undefined, readerCount: 1, inputCount: 1, outputCount: 1 };
  const device = new PdDevice(clock, new SeededRandom(quirk), line, 'desk', pdProfile(parts));
  device.setQuirks([quirk]);
  return {
    clock,
    device,
    reader: new SimulatedReader('desk', device, 0),
    acu: new DeskAcu(clock, line, memory.address, memory.baudRate),
  };
}
type Desk = ReturnType<typeof deskOf>;

/** Secure polls until one answer is unlike the others. */
async function pollUntil(acu: DeskAcu, isOdd: (answer: Awaited<ReturnType<DeskAcu['sendSecure']>>) => boolean) {
  for (let count = 0; count < 1_000; count++) {
    const answer = await acu.sendSecure(POLL);
    if (isOdd(answer)) return answer;
  }
  throw new Error('nothing odd in 1000 polls');
}

/** What each quirk does to an ACU that has no opinion. A quirk without a line here does not compile. */
const SHOWS: Readonly<Record<ReaderQuirk, (t: Test, desk: (memory?: DeviceMemory) => Desk) => Promise<void>>> = {
  checksumOnly: async (t, desk) => {
    const { acu } = desk();
    t.equal(await acu.ask(ID), undefined);
    acu.check = 'checksum';
    t.match(await acu.ask(ID), { name: 'PDID' });
    const pdcap = await acu.ask({ name: 'CAP', type: 0 });
    t.match(pdcap?.name === 'PDCAP' && pdcap.capabilities.find((each) => each.function === 8), { compliance: 0 });
  },
  claimsCrcHearsChecksum: async (t, desk) => {
    const { acu } = desk();
    t.equal(await acu.ask(ID), undefined);
    acu.check = 'checksum';
    const pdcap = await acu.ask({ name: 'CAP', type: 0 });
    t.match(pdcap?.name === 'PDCAP' && pdcap.capabilities.find((each) => each.function === 8), { compliance: 1 });
  },
  shortPdid: async (t, desk) => {
    t.equal((await desk().acu.sendClear(ID))?.frame?.payload.length, 9);
  },
  tailedPdcap: async (t, desk) => {
    t.equal(((await desk().acu.sendClear({ name: 'CAP', type: 0 }))?.frame?.payload.length ?? 0) % 3, 2);
  },
  unknownCapabilities: async (t, desk) => {
    t.equal((await desk().acu.sendClear({ name: 'CAP', type: 0 }))?.frame?.payload[0], 0xf0);
  },
  oddInputCount: async (t, desk) => {
    const { acu } = desk();
    await acu.handshake(KEY);
    t.match(await acu.askSecure({ name: 'ISTAT' }), { name: 'ISTATR', inputs: [0, 0] });
    t.match(await acu.askSecure(POLL), { name: 'ACK' }, 'the session goes on');
  },
  starHashAsAscii: async (t, desk) => {
    const { acu, reader } = desk();
    reader.pressKeys('1*#');
    await acu.handshake(KEY);
    t.match(await acu.askSecure(POLL), { name: 'KEYPAD', keys: Uint8Array.of(1, 0x2a, 0x23) });
  },
  paddingGarbage: async (t, desk) => {
    const { acu, reader } = desk();
    await acu.handshake(KEY);
    const lastBytes = new Set<number>();
    for (let count = 0; count < 8; count++) {
      reader.presentCard({ bitCount: 26, bits: Uint8Array.of(1, 2, 3, 0x40) });
      const raw = await acu.askSecure(POLL);
      if (raw?.name === 'RAW') lastBytes.add(raw.bits[3] ?? 0);
    }
    t.ok(lastBytes.size > 3);
    t.ok(
      [...lastBytes].every((byte) => (byte & 0xc0) === 0x40),
      'the card itself is whole',
    );
  },
  fmtCards: async (t, desk) => {
    const { acu, reader } = desk();
    await acu.handshake(KEY);
    reader.presentCard({ bitCount: 16, bits: Uint8Array.of(0xab, 1) });
    t.match(await acu.askSecure(POLL), { name: 'FMT', characters: Uint8Array.from(Buffer.from('ab01')) });
  },
  omitsMark: async (t, desk) => {
    const { acu } = desk();
    let first: number | undefined;
    acu.onRaw = (bytes) => (first = bytes[0]);
    await acu.ask(ID);
    t.equal(first, 0x53);
  },
  busyOften: async (t, desk) => {
    const { acu } = desk();
    await acu.handshake(KEY);
    const replies: (string | undefined)[] = [];
    for (let count = 0; count < 30; count++) replies.push((await acu.ask(ID))?.name);
    t.same(new Set(replies), new Set(['PDID', 'BUSY']));
  },
  lateReplies: async (t, desk) => {
    const { acu } = desk();
    const afterMs: number[] = [];
    for (let count = 0; count < 100; count++) {
      acu.sequence = 0;
      afterMs.push((await acu.sendClear(ID, 1_000))?.afterMs ?? 0);
    }
    t.ok(afterMs.some((ms) => ms > 250 && ms < 450));
    t.ok(afterMs.some((ms) => ms < 50));
  },
  resetsOften: async (t, desk) => {
    const { acu, clock, device } = desk();
    await acu.handshake(KEY);
    t.equal(await pollUntil(acu, (answer) => answer === undefined), undefined);
    t.equal(device.powered, false);
    await clock.advance(2_000);
    t.equal(await acu.handshake(KEY), true);
  },
  answersClearInSession: async (t, desk) => {
    const { acu } = desk();
    await acu.handshake(KEY);
    const answer = await pollUntil(acu, (each) => each?.frame?.mac === undefined);
    t.match(answer?.reply, { name: 'ACK' });
    t.match(await acu.askSecure(POLL), { name: 'NAK', error: NAK.encryptionRequired });
  },
  echoesExpectedSequence: async (t, desk) => {
    const { acu } = desk();
    await acu.handshake(KEY);
    const answer = await pollUntil(acu, (each) => each?.reply?.name === 'NAK');
    t.match(answer?.reply, { error: NAK.sequence });
    t.equal(answer?.frame?.sequence, (acu.sequence % 3) + 1);
  },
  naksSequenceInsteadOfRestart: async (t, desk) => {
    const { acu } = desk();
    t.match(await acu.ask(ID), { name: 'PDID' });
    await acu.handshake(KEY);
    t.match(await acu.ask(ID), { name: 'NAK', error: NAK.sequence });
    t.match(await acu.ask(ID), { name: 'PDID' });
  },
  nakDoesNotCount: async (t, desk) => {
    const { acu, reader } = desk();
    await acu.handshake(KEY);
    t.match(await acu.askSecure(BUZ), { name: 'NAK', error: NAK.commandUnknown });
    t.equal(reader.beepCount, 0);
    t.match(await acu.askSecure(POLL), { name: 'NAK', error: NAK.sequence });
    t.equal(await acu.handshake(KEY), true);
    await acu.askSecure(BUZ);
    acu.back();
    t.match(await acu.askSecure(POLL), { name: 'ACK' }, 'with the number of what was refused');
  },
  refusesIdInClear: async (t, desk) => {
    const { acu } = desk();
    t.match(await acu.ask(ID), { name: 'NAK', error: NAK.encryptionRequired });
    t.equal(await acu.handshake(KEY), true);
  },
  refusesComsetInClear: async (t, desk) => {
    const { acu, device } = desk(FACTORY_MEMORY);
    const comset: Command = { name: 'COMSET', address: 4, baudRate: 9_600 };
    t.match(await acu.ask(comset), { name: 'NAK', error: NAK.encryptionRequired });
    t.equal(await acu.handshake(SCBK_DEFAULT), true);
    t.match(await acu.askSecure(comset), { name: 'COM', address: 4 });
    t.equal(device.memory.address, 4);
  },
  comsetIgnoresBaud: async (t, desk) => {
    const { acu, device } = desk();
    await acu.handshake(KEY);
    const com = await acu.askSecure({ name: 'COMSET', address: 4, baudRate: 115_200 });
    t.match(com, { name: 'COM', address: 4, baudRate: 9_600 });
    t.match(device.memory, { address: 4, baudRate: 9_600 });
    acu.address = 4;
    t.equal(await acu.handshake(KEY), true);
  },
  comsetWithoutEffect: async (t, desk) => {
    const { acu } = desk();
    await acu.handshake(KEY);
    t.match(await acu.askSecure({ name: 'COMSET', address: 4, baudRate: 115_200 }), { name: 'COM', baudRate: 115_200 });
    t.equal(await acu.handshake(KEY), true, 'at the old address and rate');
  },
  dropsSessionAfterKeyset: async (t, desk) => {
    const { acu } = desk();
    await acu.handshake(KEY);
    t.match(await acu.askSecure(KEYSET), { name: 'ACK' });
    t.match(await acu.askSecure(POLL), { name: 'NAK', error: NAK.encryptionRequired });
  },
  ackKeysetInClear: async (t, desk) => {
    const { acu } = desk(FACTORY_MEMORY);
    await acu.handshake(SCBK_DEFAULT);
    const answer = await acu.sendSecure(KEYSET);
    t.match(answer?.reply, { name: 'ACK' });
    t.equal(answer?.frame?.mac, undefined);
    t.equal(await acu.handshake(KEY), true);
  },
  clearStatusReplies: async (t, desk) => {
    const { acu } = desk();
    await acu.handshake(KEY);
    const answer = await acu.sendSecure({ name: 'LSTAT' });
    t.match(answer?.reply, { name: 'LSTATR', tampered: false });
    t.equal(answer?.frame?.securityBlock?.type, 0x15);
    t.equal(answer?.frame?.payload.length, 2, 'in plain text');
  },
  xrdPreply1: async (t, desk) => {
    const { acu, device } = desk();
    await acu.handshake(KEY);
    device.body.holdCard(SMART_CARD);
    await acu.askSecure({ name: 'XWR', mode: 0, command: 2, data: Uint8Array.of(1, 0) });
    await acu.askSecure({ name: 'XWR', mode: 1, command: 1, data: Uint8Array.of(0, 0, 0xa4, 4, 0, 0) });
    t.match(await acu.askSecure(POLL), { name: 'XRD', reply: 1, data: Uint8Array.of(0, 0x90, 0) });
  },
  exclusiveTransfer: async (t, desk) => {
    const { acu } = desk();
    await acu.handshake(KEY);
    t.match(await acu.askSecure(fragment(Uint8Array.of(1, 2, 3), 0, 6)), { name: 'FTSTAT', action: 0, status: 0 });
  },
  slowTransfer: async (t, desk) => {
    const { acu, clock } = desk();
    await acu.handshake(KEY);
    t.match(await acu.askSecure(fragment(Uint8Array.of(1, 2, 3), 0, 3)), { name: 'FTSTAT', delayMs: 200, status: 3 });
    await clock.advance(1_000);
    t.match(await acu.askSecure(fragment(new Uint8Array(0), 3, 3)), { status: 3 });
    await clock.advance(2_000);
    t.match(await acu.askSecure(fragment(new Uint8Array(0), 3, 3)), { status: 1 });
  },
  wrongSerialAfterSwap: async (t, desk) => {
    const { acu, clock, device } = desk();
    const first = await acu.ask(ID);
    device.powerCycle(1_000);
    await clock.advance(1_000);
    const second = await acu.ask(ID);
    t.ok(first?.name === 'PDID' && second?.name === 'PDID' && first.serial !== second.serial);
  },
};

const SMART_CARD = new SimulatedSmartCard(Uint8Array.of(4, 5, 6, 7), new Map());

const fragment = (data: Uint8Array, offset: number, totalSize: number): Command => ({
  name: 'FILETRANSFER',
  type: 1,
  totalSize,
  offset,
  data,
});

for (const quirk of READER_QUIRK_NAMES) {
  t.test(`the quirk ${quirk} shows on the wire and is counted`, async (t) => {
    let device: PdDevice | undefined;
    await SHOWS[quirk](t, (memory = KEYED) => {
      const desk = deskOf(quirk, memory);
      device = desk.device;
      return desk;
    });
    t.ok((device?.quirks.fired.get(quirk) ?? 0) > 0);
  });
}

t.test('a device without quirks has none of them', async (t) => {
  const { acu, device } = deskOf('busyOften', KEYED);
  device.setQuirks([]);
  t.equal(await acu.handshake(KEY), true);
  for (let count = 0; count < 200; count++) t.match(await acu.askSecure(POLL), { name: 'ACK' });
  t.equal(device.quirks.fired.size, 0);
});
