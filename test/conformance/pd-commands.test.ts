import t from 'tap';
import { eventually } from '../support/peers.js';
import { MEDIA, type Medium } from './libosdp-line.js';
import { hex, LIBOSDP, type LibosdpDeviceConfig, type LibosdpPeer } from './libosdp-peer.js';
import { key } from './libosdp-readers.js';
import { OurPds, type OurPd, type OurPdOptions } from './our-pds.js';

const ADDRESS = 9;
const SCBK = key(9);
const ACU: LibosdpDeviceConfig = { address: ADDRESS, flags: [LIBOSDP.flag.enforceSecure], scbk: hex(SCBK) };
const VENDOR = '5ca0c1';
const FILE = Uint8Array.from({ length: 100_000 }, (_, index) => (index * index + (index >> 8)) & 0xff);

interface Owner {
  teardown(remove: () => Promise<void>): void;
}

async function pair(
  t: Owner,
  medium: Medium,
  acu: LibosdpDeviceConfig,
  options: OurPdOptions,
): Promise<[LibosdpPeer, OurPd]> {
  const { link, peer, remove } = await medium.open('acu', acu);
  const pds = new OurPds(link, [options]);
  t.teardown(async () => {
    await pds.stop();
    await remove();
  });
  await eventually('there is a session', () => peer.device().session.secure && pds.pd().secure);
  return [peer, pds.pd()];
}

for (const medium of MEDIA) {
  t.test(`what a libosdp ACU asks of our PD ${medium.name}`, { skip: medium.skip }, async (t) => {
    await t.test("in install mode it takes the ACU's key, once, and comes back under it", async (t) => {
      const [peer, pd] = await pair(t, medium, { ...ACU, flags: [] }, { address: ADDRESS, installMode: true });
      await eventually('the key is set', () => pd.doings.some(({ kind }) => kind === 'key'));
      await eventually(
        'there is a session under it',
        () => pd.doings.filter(({ kind }) => kind === 'session').length >= 3,
      );
      await eventually('libosdp has it', () => peer.device().session.secure && pd.secure);
      t.same(
        pd.doings.filter(({ kind }) => kind === 'key'),
        [{ kind: 'key', scbk: SCBK }],
      );
    });

    const [peer, pd] = await pair(t, medium, ACU, {
      address: ADDRESS,
      scbk: SCBK,
      manufacturerVendors: [VENDOR],
      file: { sizeMax: FILE.length },
    });

    await t.test('it says what it is', async (t) => {
      await peer.request({ do: 'identity' });
      await eventually('the identity is told', () => peer.device().identity !== undefined);
      t.match(peer.device().identity, { vendor_code: 0x0c0b0a, serial_number: ADDRESS });
    });

    await t.test('it tells the state of its inputs, outputs, housing and reader', async (t) => {
      pd.report({ kind: 'input', number: 2, status: 1 });
      const status = (type: number) =>
        peer
          .device()
          .events.filter((each) => each.event === LIBOSDP.event.status && each.type === type)
          .at(-1);
      const { input, output, local, remote } = LIBOSDP.statusReport;
      for (const [type, report] of [
        [input, '00000100'],
        [output, '0000'],
        [local, '0000'],
        [remote, '00'],
      ] as const) {
        await peer.submit({ command: LIBOSDP.command.status, type, report: { hex: '' } });
        await eventually(`status ${type}`, () => status(type) !== undefined);
        t.same(status(type)?.report, { hex: report });
      }
    });

    await t.test('it takes commands of its maker and answers them', async (t) => {
      pd.onDoing = (doing) =>
        doing.kind === 'manufacturer'
          ? { kind: 'manufacturer', vendor: VENDOR, data: Uint8Array.of(0xca, 0xfe) }
          : undefined;
      await peer.submit({
        command: LIBOSDP.command.manufacturer,
        vendor_code: 0xc1a05c,
        mfg_command: 7,
        data: { hex: '010203' },
      });
      await eventually('the answer is there', () =>
        peer.device().events.some((each) => each.event === LIBOSDP.event.manufacturerReply),
      );
      t.match(
        pd.doings.find(({ kind }) => kind === 'manufacturer'),
        { vendor: VENDOR },
      );
      t.match(
        peer.device().events.find((each) => each.event === LIBOSDP.event.manufacturerReply),
        { vendor_code: 0xc1a05c },
      );
    });

    await t.test('it receives a file of 100 kB byte by byte', async (t) => {
      const received = new Uint8Array(FILE.length);
      let isWhole = false;
      pd.onDoing = (doing) => {
        if (doing.kind !== 'file') return undefined;
        received.set(doing.data, doing.offset);
        isWhole ||= doing.complete;
        return doing.complete ? { kind: 'file', verdict: 'processed' } : undefined;
      };
      const startMs = performance.now();
      await peer.request({ do: 'sendFile', number: 1, content: hex(FILE) });
      await eventually('the file is there', () => isWhole, 60_000);
      await eventually('libosdp has closed it', () => peer.device().files.length === 1);
      t.same(Buffer.from(received).equals(FILE), true);
      t.comment(`100 kB in ${(performance.now() - startMs).toFixed(0)} ms`);
    });

    await t.test('it moves to another address', async (t) => {
      await peer.submit({ command: LIBOSDP.command.comset, address: 33, baud_rate: 9_600 });
      await eventually('our PD has moved', () => pd.address === 33);
      // libosdp goes on in the session of before, which a new address ends (SIA OSDP v2.2, COMSET), and is refused.
      await eventually('libosdp gives up', () => !peer.device().session.online);
      await peer.request({ do: 'restart' });
      await eventually('there is a session at the new address', () => peer.device().session.secure && pd.secure);
      t.match(
        pd.doings.find(({ kind }) => kind === 'communication'),
        { address: 33, baudRate: 9_600 },
      );
    });
  });
}
