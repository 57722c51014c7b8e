import { nodeRandom } from '@sparc/edge/platform';
import { PdDevice, pdProfile } from '@sparc/simulator/devices';
import { LIVE_BAUD_RATE } from '@sparc/simulator/live';
import t from 'tap';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';
import { systemClock } from '../../support/system-clock.js';

const SITE = liveSiteFile([
  { id: 'front', bus: 'bus-a' },
  { id: 'keyed', bus: 'bus-b' },
  { id: 'plain', bus: 'bus-b' },
  { id: 'twin', bus: 'bus-b' },
  { id: 'back', bus: 'bus-b' },
]);

t.test('devices that are not what the configuration says are named by a code, and the others go on', async (t) => {
  const wired = {
    ...SITE,
    devices: SITE.devices.map((device) =>
      device.id === 'plain-reader' ? { ...device, secureChannel: 'clear' as const } : device,
    ),
  };
  const gateway = await LiveGateway.create({
    site: SITE,
    wired,
    wrongKeys: { 'keyed-reader': '5a91c3e07b2d48f61e5c9a03d7f4b682' },
  });
  t.teardown(() => gateway.remove());
  const line = gateway.live.lines.get('bus-b');
  const twin = SITE.devices.find(({ id }) => id === 'twin-reader');
  if (line === undefined || twin === undefined) throw new Error('no bus-b');
  const profile = pdProfile({
    address: twin.address,
    baudRate: LIVE_BAUD_RATE,
    readerCount: 1,
    inputCount: 0,
    outputCount: 0,
  });
  new PdDevice(systemClock, nodeRandom, line, 'second-twin', profile);

  await gateway.startOnline({}, ['io-bus-a', 'front-reader', 'io-bus-b', 'back-reader']);
  for (const [deviceId, code] of [
    ['keyed-reader', 'ERR_OSDP_KEY_REJECTED'],
    ['plain-reader', 'ERR_OSDP_KEY_REJECTED'],
    ['twin-reader', 'ERR_OSDP_GARBLED'],
  ] as const) {
    // A busy machine may find one silent before it finds out why.
    const event = await gateway.event(
      ({ name, ...event }) => name === 'reader.offline' && event.deviceId === deviceId && event.code === code,
      `${deviceId} is offline, and why: ${code}`,
    );
    t.ok(event);
  }
  for (const [doorId, card] of [
    ['front', 'card-1'],
    ['back', 'card-2'],
  ] as const) {
    await gateway.released(doorId, card);
  }
  gateway.present('plain-reader', 'card-2');
  await eventually('all are locked', () => ['front', 'back'].every((doorId) => !gateway.lock(doorId).released));
  t.same(gateway.lock('plain').movements, [], 'a reader in clear opens nothing');
});
