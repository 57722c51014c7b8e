import { SerialLink } from '@sparc/firmware-bridges/osdp';
import { encodeCommand, encodeFrame } from '@sparc/protocol/osdp';
import { FACTORY_MEMORY } from '@sparc/simulator/devices';
import { LiveSite } from '@sparc/simulator/live';
import t from 'tap';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually, SKIP_WITHOUT_SOCAT } from '../../support/peers.js';
import { systemClock } from '../../support/system-clock.js';

t.test(
  'on a pseudo-terminal the gateway chooses the rate, and only devices of that rate understand it',
  {
    skip: SKIP_WITHOUT_SOCAT,
  },
  async (t) => {
    const site = liveSiteFile([{ id: 'front', bus: 'bus-1' }]);
    const live = new LiveSite({
      site,
      keys: new Map(),
      memories: new Map([['front-reader', FACTORY_MEMORY]]),
      folder: t.testdir({}),
      kind: 'pty',
      baudRate: 38_400,
      onLineEnd: (error) => t.fail(error.message),
    });
    await live.start();
    t.teardown(() => live.stop());
    const address = live.addresses.get('bus-1');
    if (address === undefined || !('serial' in address)) throw new Error('no pseudo-terminal');
    const heard: number[] = [];
    const link = new SerialLink(systemClock, { ...address.serial, baudRate: 38_400 });
    const opened = new Promise<void>((resolve) => {
      link.start({
        onOpen: () => resolve(),
        onDown: (error) => t.fail(error.message),
        onData: (data) => heard.push(...data),
      });
    });
    await opened;
    t.teardown(() => link.stop());
    /** The serial number of the device that answers at address 0; devices number from 1000 in the order of the site file. */
    const askId = async () => {
      heard.length = 0;
      const { code, payload } = encodeCommand({ name: 'ID', type: 0 });
      link.write(encodeFrame({ address: 0, reply: false, sequence: 0, check: 'crc', code, payload }));
      await eventually('an answer', () => heard.length >= 21);
      return (heard[12] ?? 0) + 256 * (heard[13] ?? 0);
    };
    t.equal(await askId(), 1_000, 'the I/O module at the rate of the bus');
    await link.setBaudRate(9_600);
    t.equal(await askId(), 1_001, 'the reader from the factory');
  },
);
