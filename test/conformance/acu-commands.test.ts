import t from 'tap';
import { comset, identify, setBusSpeed, transferFile } from '@sparc/firmware-bridges/osdp';
import { DIALECTS, type Command } from '@sparc/protocol/osdp';
import { eventually } from '../support/peers.js';
import { BAUD_RATE, MEDIA, PTY } from './libosdp-line.js';
import { hex, LIBOSDP } from './libosdp-peer.js';
import { key, readers } from './libosdp-readers.js';
import { OurAcu } from './our-acu.js';

const READERS = readers(8);
const IDS = READERS.map(({ plan }) => plan.deviceId);
const FIRST = 'reader-1';
const VENDOR = '5ca0c1';
const FILE = Uint8Array.from({ length: 100_000 }, (_, index) => (index * index + (index >> 8)) & 0xff);
const MFG = LIBOSDP.command.manufacturer;

/** Its maker's commands are answered by their own data: the Python binding cannot choose others. */
const ANSWERS = { [MFG]: { code: 1, record: null } };

/** Commands for which libosdp 3.2.9 has no code. PIV and transparent mode are among them. */
const CANNOT: readonly Command[] = [
  { name: 'TDSET', year: 2026, month: 11, day: 21, hour: 12, minute: 0, second: 0 },
  { name: 'BIOREAD', reader: 0, type: 0, format: 2, quality: 100 },
  { name: 'PIVDATA', objectId: '5fc102', element: 0, offset: 0, offsetSize: 1 },
  { name: 'GENAUTH', head: Uint8Array.of(7, 0x9e), totalSize: 4, offset: 0, data: new Uint8Array(4) },
  { name: 'CRAUTH', head: Uint8Array.of(7, 0x9e), totalSize: 4, offset: 0, data: new Uint8Array(4) },
  { name: 'XWR', mode: 0, command: 1, data: new Uint8Array(0) },
];

for (const medium of MEDIA) {
  t.test(`what our ACU asks of libosdp PDs ${medium.name}`, { skip: medium.skip }, async (t) => {
    const { link, peer, remove } = await medium.open(
      'pd',
      READERS.map(({ libosdp }) => ({ ...libosdp, answers: ANSWERS })),
    );
    const acu = new OurAcu(
      link,
      READERS.map(({ plan }) => ({ ...plan, dialect: DIALECTS.libosdp })),
    );
    t.teardown(async () => {
      await acu.stop();
      await remove();
    });
    await acu.secure(...IDS);

    await t.test('they say what they are and what they can', async (t) => {
      t.match(await acu.send(FIRST, { name: 'ID', type: 0 }), { kind: 'acknowledged', reply: { name: 'PDID' } });
      t.match(await acu.send(FIRST, { name: 'CAP', type: 0 }), { kind: 'acknowledged', reply: { name: 'PDCAP' } });
    });

    await t.test('they tell of housing, power and reader', async (t) => {
      t.match(await acu.send(FIRST, { name: 'LSTAT' }), {
        kind: 'acknowledged',
        reply: { name: 'LSTATR', tampered: false, powerFailed: false },
      });
      t.match(await acu.send(FIRST, { name: 'RSTAT' }), { kind: 'acknowledged', reply: { name: 'RSTATR' } });
      // The Python binding cannot put states into the answer to ISTAT and OSTAT; on change libosdp reports them by itself.
      t.match(await acu.send(FIRST, { name: 'ISTAT' }), { kind: 'notExecuted', detail: /NAK 9/ });
    });

    await t.test('they take commands of their maker and answer them', async (t) => {
      const data = Uint8Array.of(1, 2, 3);
      t.match(await acu.send(FIRST, { name: 'MFG', vendor: VENDOR, data }), {
        kind: 'acknowledged',
        reply: { name: 'MFGREP', vendor: VENDOR, data },
      });
      t.match(
        peer.device().commands.find(({ command }) => command === MFG),
        { vendor_code: 0xc1a05c, data: hex(data) },
      );
    });

    await t.test('a reader blinks and beeps when it is to show itself', async (t) => {
      await identify(acu.bus, { deviceId: FIRST }, 2_000);
      t.ok(peer.device().commands.some(({ command }) => command === LIBOSDP.command.led));
      t.ok(peer.device().commands.some(({ command }) => command === LIBOSDP.command.buzzer));
    });

    await t.test('what libosdp does not know it refuses, and the session goes on', async (t) => {
      for (const command of CANNOT) {
        t.match(await acu.send(FIRST, command), { kind: 'notExecuted', detail: /NAK 3/ }, command.name);
      }
      t.comment(`libosdp cannot: ${CANNOT.map(({ name }) => name).join(', ')}`);
      t.equal(acu.status(FIRST)?.link, 'online');
    });

    await t.test('a file of 100 kB arrives byte by byte', async (t) => {
      const startMs = performance.now();
      const result = await transferFile(acu.bus, FIRST, { fileType: 1, data: FILE });
      t.same(result, { kind: 'completed', rebooting: false });
      t.comment(`100 kB in ${(performance.now() - startMs).toFixed(0)} ms`);
      await eventually('libosdp has closed the file', () => peer.device().files.length === 1);
      t.ok(peer.device().files[0]?.content.equals(FILE));
    });

    await t.test('a key is changed inside the session and proven', async (t) => {
      const scbk = key(77);
      t.match(await acu.send('reader-2', { name: 'KEYSET', keyType: 1, key: scbk }), { kind: 'acknowledged' });
      await eventually('the key is proven', () =>
        acu.keysProven.some((each) => each.deviceId === 'reader-2' && Buffer.from(each.scbk).equals(scbk)),
      );
      await acu.secure('reader-2');
      t.same(
        peer
          .device(1)
          .commands.filter(({ command }) => command === LIBOSDP.command.keyset)
          .map(({ data }) => data),
        [hex(scbk)],
      );
    });

    await t.test('a device goes to another address', async (t) => {
      t.same(await comset(acu.bus, 'reader-3', { address: 33 }), {
        kind: 'moved',
        address: 33,
        baudRate: acu.bus.baudRate,
      });
      await acu.secure('reader-3');
    });
  });
}

t.test('a line of 8 libosdp PDs changes its speed', { skip: PTY.skip }, async (t) => {
  const { link, peer, remove } = await PTY.open(
    'pd',
    READERS.map(({ libosdp }) => libosdp),
  );
  const acu = new OurAcu(
    link,
    READERS.map(({ plan }) => plan),
  );
  t.teardown(async () => {
    await acu.stop();
    await remove();
  });
  await acu.secure(...IDS);
  t.equal(acu.bus.baudRate, BAUD_RATE);
  const { changed, devices } = await setBusSpeed(acu.bus, 38_400);
  t.equal(changed, true);
  t.same(
    [...devices.values()].map(({ kind }) => kind),
    IDS.map(() => 'moved'),
  );
  await acu.secure(...IDS);
  for (const device of peer.devices) {
    t.match(
      device.commands.find(({ command }) => command === LIBOSDP.command.comset),
      { baud_rate: 38_400 },
    );
  }
});
