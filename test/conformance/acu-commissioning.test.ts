import t from 'tap';
import { discover, setAddress } from '@sparc/firmware-bridges/osdp';
import { systemClock } from '../support/system-clock.js';
import { eventually } from '../support/peers.js';
import { FaultyLink } from './faulty-link.js';
import { MEDIA } from './libosdp-line.js';
import { hex, LIBOSDP, type LibosdpDeviceConfig } from './libosdp-peer.js';
import { CAPABILITIES, key, readers } from './libosdp-readers.js';
import { OurAcu } from './our-acu.js';

const WINDOW_MS = 60_000;
const SCBK = key(41);
/** Where its SCB says which key CHLNG is about: 0 for SCBK-D. */
const KEY_SELECTION_INDEX = 7;
const CHLNG_INDEX = 8;
const CHLNG = 0x76;
const FACTORY_NEW: LibosdpDeviceConfig = {
  address: 0,
  flags: [LIBOSDP.flag.installMode],
  scbk: null,
  capabilities: CAPABILITIES,
};
const [KEYED] = readers(1);

for (const medium of MEDIA) {
  t.test(`a factory-new libosdp PD beside one that has its key ${medium.name}`, { skip: medium.skip }, async (t) => {
    if (KEYED === undefined) throw new RangeError('no reader');
    const { link: inner, peer, remove } = await medium.open('pd', [FACTORY_NEW, KEYED.libosdp]);
    const link = new FaultyLink(inner);
    const acu = new OurAcu(link, [KEYED.plan]);
    t.teardown(async () => {
      await acu.stop();
      await remove();
    });
    let defaultKeyOffers = 0;
    link.onFrame = ({ reply, bytes }) => {
      if (!reply && bytes[CHLNG_INDEX] === CHLNG && bytes[KEY_SELECTION_INDEX] === 0) defaultKeyOffers += 1;
    };
    await acu.secure(KEYED.plan.deviceId);

    await t.test('discovery finds both, and nobody else', async (t) => {
      const addresses = Array.from({ length: 6 }, (_, address) => address);
      const found = await discover(acu.bus, { addresses, baudRates: [acu.bus.baudRate] });
      t.match(
        [...found].sort((a, b) => a.address - b.address),
        [
          // libosdp does not say in PDCAP 9 that it takes SCBK-D.
          { address: 0, conflict: false, pdid: { model: 1, version: 1 }, secureChannel: true, defaultKey: false },
          { address: 1, conflict: false },
        ],
      );
      t.equal(found.length, 2);
    });

    await t.test('the new one goes to a free address, in clear', async (t) => {
      const place = { address: 0, baudRate: acu.bus.baudRate };
      t.match(await setAddress(acu.bus, { ...place, newAddress: 9 }), { kind: 'moved', address: 9 });
      t.match(
        peer.device(0).commands.find(({ command }) => command === LIBOSDP.command.comset),
        { address: 9 },
      );
    });

    await t.test('without a window it gets no key, and nobody speaks of SCBK-D', async (t) => {
      const secureChannel = { mode: 'required', scbk: SCBK } as const;
      acu.bus.put({ deviceId: 'new', address: 9, secureChannel });
      await eventually('it is refused', () => acu.status('new')?.reason === 'ERR_OSDP_KEY_REJECTED');
      acu.bus.remove('new');
      t.equal(defaultKeyOffers, 0);
      t.notOk(peer.device(0).commands.some(({ command }) => command === LIBOSDP.command.keyset));
    });

    await t.test('inside a window it gets its own key, once, and proves it', async (t) => {
      const untilMs = systemClock.monotonicMs() + WINDOW_MS;
      const startMs = performance.now();
      acu.bus.put({ deviceId: 'new', address: 9, secureChannel: { mode: 'install', scbk: SCBK, untilMs } });
      await eventually('the key is proven', () => acu.keysProven.some(({ deviceId }) => deviceId === 'new'));
      await acu.secure('new');
      t.comment(`factory-new to proven key in ${(performance.now() - startMs).toFixed(0)} ms`);
      t.same(
        acu.keysProven.filter(({ deviceId }) => deviceId === 'new').map(({ scbk }) => scbk),
        [SCBK],
      );
      t.same(
        peer
          .device(0)
          .commands.filter(({ command }) => command === LIBOSDP.command.keyset)
          .map(({ data }) => data),
        [hex(SCBK)],
      );
      t.equal(defaultKeyOffers, 1);
    });

    await t.test('its key survives a reset, and outside the window SCBK-D is history', async (t) => {
      acu.bus.configure('new', { secureChannel: { mode: 'required', scbk: SCBK } });
      await acu.secure('new');
      await peer.request({ do: 'reset' }, 0);
      await eventually('libosdp has forgotten its session', () => !peer.device(0).session.secure);
      await eventually('there is a session', () => peer.device(0).session.secure);
      await acu.secure('new');
      t.equal(defaultKeyOffers, 1);
      t.equal(acu.status(KEYED.plan.deviceId)?.link, 'online');
    });
  });
}
