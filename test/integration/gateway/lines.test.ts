import { chmod, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import t from 'tap';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually, SKIP_WITHOUT_SOCAT } from '../../support/peers.js';

const SITE = liveSiteFile([
  { id: 'front', bus: 'bus-a' },
  { id: 'back', bus: 'bus-b' },
]);
const ON_BUS_A = ['io-bus-a', 'front-reader'];
const ON_BUS_B = ['io-bus-b', 'back-reader'];

let cardNumber = 0;

async function opens(gateway: LiveGateway, doorId: string): Promise<void> {
  await eventually(`${doorId} is locked`, () => !gateway.lock(doorId).released);
  // A card that the reader does not take for a repetition.
  await gateway.released(doorId, `card-${(cardNumber++ % 20) + 1}`);
}

const busError = async (gateway: LiveGateway, busId: string) => {
  const { buses } = await gateway.api<{ buses: { id: string; error?: { code: string } }[] }>('/api/site');
  return buses.find(({ id }) => id === busId)?.error?.code;
};

t.test(
  'a serial device that is missing, or unplugged, is used when it appears',
  { skip: SKIP_WITHOUT_SOCAT },
  async (t) => {
    const gateway = await LiveGateway.create({ site: SITE, kind: 'pty' });
    t.teardown(() => gateway.remove());
    await gateway.live.unplug('bus-b');
    await gateway.startOnline({}, ON_BUS_A);
    await eventually('the API answers', () => gateway.isServing());
    t.equal(await busError(gateway, 'bus-b'), 'ERR_BUS_DEVICE_MISSING');
    const logged = gateway.log.filter(({ msg, busId }) => msg === 'bus.down' && busId === 'bus-b');
    t.match(logged, [{ code: 'ERR_BUS_DEVICE_MISSING' }], 'whoever has only the log is told');
    await opens(gateway, 'front');

    await gateway.live.plugIn('bus-b');
    await gateway.online(ON_BUS_B);
    await opens(gateway, 'back');

    await gateway.live.unplug('bus-b');
    await gateway.event(({ name, code }) => name === 'bus.down' && code === 'ERR_BUS_DEVICE_UNPLUGGED', 'unplugged');
    await opens(gateway, 'front');
    const knownCount = gateway.events.length;
    await gateway.live.plugIn('bus-b');
    const isBack = (id: string) =>
      gateway.events.slice(knownCount).some(({ name, deviceId }) => name === 'reader.online' && deviceId === id);
    await eventually('the readers are back', () => ON_BUS_B.every(isBack));
    await eventually('the API says so', async () => (await busError(gateway, 'bus-b')) === undefined);
    await gateway.online(ON_BUS_B);
    await opens(gateway, 'back');
  },
);

t.test(
  'a serial device that another program holds is opened when that program ends',
  { skip: SKIP_WITHOUT_SOCAT },
  async (t) => {
    const gateway = await LiveGateway.create({ site: SITE, kind: 'pty' });
    t.teardown(() => gateway.remove());
    const other = new SerialPort({
      path: join(gateway.folder, 'bus-b'),
      baudRate: 38_400,
      autoOpen: false,
      lock: true,
    });
    await new Promise<void>((resolve, reject) => other.open((error) => (error === null ? resolve() : reject(error))));
    await gateway.startOnline({}, ON_BUS_A);
    await eventually('the API answers', () => gateway.isServing());
    t.equal(await busError(gateway, 'bus-b'), 'ERR_BUS_DEVICE_BUSY');
    await opens(gateway, 'front');
    await new Promise<void>((resolve) => other.close(() => resolve()));
    await gateway.online(ON_BUS_B);
  },
);

const skipPermission = SKIP_WITHOUT_SOCAT || (process.getuid?.() === 0 && 'root may read and write every device');

t.test('a serial device without permission says so', { skip: skipPermission }, async (t) => {
  const gateway = await LiveGateway.create({ site: SITE, kind: 'pty' });
  t.teardown(() => gateway.remove());
  await chmod(await realpath(join(gateway.folder, 'bus-b')), 0);
  await gateway.startOnline({}, ON_BUS_A);
  await eventually('the API answers', () => gateway.isServing());
  t.equal(await busError(gateway, 'bus-b'), 'ERR_BUS_DEVICE_DENIED');
  await opens(gateway, 'front');
});
