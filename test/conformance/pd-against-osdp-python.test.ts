import { createCipheriv } from 'node:crypto';
import t from 'tap';
import { SerialLink, TcpLink } from '@sparc/firmware-bridges/osdp';
import type { ByteLink } from '@sparc/protocol/ports';
import { eventually, PtyPair, SKIP_WITHOUT_SOCAT } from '../support/peers.js';
import { systemClock } from '../support/system-clock.js';
import { BAUD_RATE } from './libosdp-line.js';
import { OsdpPythonPeer, SKIP_WITHOUT_OSDP_PYTHON, type OsdpPythonConfig } from './osdp-python-peer.js';
import { OurPds, type OurPdOptions } from './our-pds.js';

const ADDRESS = 5;
const VENDOR = '5ca0c1';
const MASTER_KEY = '8f1d00b7c6a92e54f3d870136b4ca5e2';

interface Line {
  readonly link: ByteLink;
  readonly peer: OsdpPythonPeer;
  readonly remove: () => Promise<void>;
}

const LINES: readonly { name: string; skip: string | false; open: (config: OsdpPythonConfig) => Promise<Line> }[] = [
  {
    name: 'over a pseudo-terminal',
    skip: SKIP_WITHOUT_OSDP_PYTHON || SKIP_WITHOUT_SOCAT,
    async open(config) {
      const pair = await PtyPair.create();
      const peer = await OsdpPythonPeer.start(pair.b, config);
      const link = new SerialLink(systemClock, { path: pair.a, baudRate: BAUD_RATE });
      return { link, peer, remove: () => pair.remove() };
    },
  },
  {
    name: 'over TCP',
    skip: SKIP_WITHOUT_OSDP_PYTHON,
    async open(config) {
      const peer = await OsdpPythonPeer.start('tcp', config);
      return {
        link: new TcpLink(systemClock, { host: '127.0.0.1', port: peer.port }),
        peer,
        remove: async () => undefined,
      };
    },
  },
];

/** SCBK = E(MK, cUID || ~cUID), as the standard's older editions make it. */
function diversified(cUID: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-128-ecb', Buffer.from(MASTER_KEY, 'hex'), null).setAutoPadding(false);
  return Uint8Array.from(cipher.update(Uint8Array.of(...cUID, ...cUID.map((byte) => ~byte))));
}

for (const { name, skip, open } of LINES) {
  t.test(`the ACU of osdp-python and our PD ${name}`, { skip }, async (t) => {
    const start = async (config: Partial<OsdpPythonConfig>, options: Partial<OurPdOptions>) => {
      const { link, peer, remove } = await open({ address: ADDRESS, crc: true, secure: false, ...config });
      const pds = new OurPds(link, [{ address: ADDRESS, ...options }]);
      t.teardown(async () => {
        await pds.stop();
        await peer.stop();
        await remove();
      });
      return { peer, pd: pds.pd() };
    };

    for (const crc of [true, false]) {
      await t.test(`in clear, with ${crc ? 'CRC' : 'a checksum'}, everything that it can say and ask`, async (t) => {
        const { peer, pd } = await start({ crc }, { manufacturerVendors: [VENDOR] });
        pd.onDoing = (doing) =>
          doing.kind === 'manufacturer'
            ? { kind: 'manufacturer', vendor: VENDOR, data: Uint8Array.of(0xca, 0xfe) }
            : undefined;
        t.match(await peer.ask({ do: 'id' }), { vendor: '0a0b0c', model: 1, serial: ADDRESS });
        t.ok(((await peer.ask({ do: 'capabilities' })) as unknown[]).length > 8);
        t.same(await peer.ask({ do: 'inputs' }), [false, false, false, false]);
        t.same(await peer.ask({ do: 'outputs' }), [false, false]);
        t.same(await peer.ask({ do: 'local' }), { tampered: false, powerFailed: false });
        t.equal(await peer.ask({ do: 'output', number: 1, code: 2, ticks: 0 }), true);
        t.equal(await peer.ask({ do: 'led', color: 2 }), true);
        // ACK; osdp-python passes over the MFGREP that comes on a later poll.
        t.equal(await peer.ask({ do: 'manufacturer', vendor: VENDOR, data: '010203' }), '');
        t.match(
          pd.doings.filter(({ kind }) => kind === 'output' || kind === 'led' || kind === 'manufacturer'),
          [
            { kind: 'output', number: 1, active: true },
            { kind: 'led', pattern: { onColor: 2 } },
            { kind: 'manufacturer', vendor: VENDOR, data: Uint8Array.of(1, 2, 3) },
          ],
        );
        pd.report({ kind: 'card', reader: 0, format: 1, bitCount: 26, bits: Uint8Array.of(0xcd, 0x22, 0xc7, 0xc0) });
        pd.report({ kind: 'keypad', reader: 0, keys: Uint8Array.of(0x31, 0x32, 0x0d) });
        await eventually('card and keys are there', () => peer.cards.length + peer.keys.length === 2);
        t.same(peer.cards, [{ reader: 0, bitCount: 26, data: 'cd22c7c0' }]);
        t.same(peer.keys, ['31320d']);
      });
    }

    await t.test('in install mode it sets a key that it makes from its master key', async (t) => {
      const { pd } = await start({ secure: true, masterKey: MASTER_KEY }, { installMode: true });
      await eventually('the key is set', () => pd.doings.some(({ kind }) => kind === 'key'));
      const cUID = Uint8Array.of(0x0a, 0x0b, 0x0c, 1, ADDRESS, 0, 0, 0);
      t.same(
        pd.doings.filter(({ kind }) => kind === 'key'),
        [{ kind: 'key', scbk: diversified(cUID) }],
      );
      // It goes on offering SCBK-D afterwards, whatever key it has set: from there on our PD refuses it.
      t.comment('osdp-python cannot: Secure Channel under any key but SCBK-D');
      await eventually('the session is over', () => !pd.secure);
    });
  });
}
