import t from 'tap';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually, SKIP_WITHOUT_SOCAT } from '../../support/peers.js';
import { WIRE_CODE } from '../../support/wire-monitor.js';
import { Commissioner } from './commissioner.js';

const [SLOW, FAST] = [38_400, 115_200] as const;

t.test(
  'the speed of a bus outlives the gateway, and a kill -9 while it changes',
  { skip: SKIP_WITHOUT_SOCAT },
  async (t) => {
    const site = liveSiteFile([{ id: 'front', bus: 'bus-1' }]);
    const gateway = await LiveGateway.create({ site, kind: 'pty', baudRate: SLOW });
    t.teardown(() => gateway.remove());
    const person = new Commissioner(gateway);
    const wire = gateway.wires.get('bus-1');
    if (wire === undefined) throw new Error('no bus-1');
    const speeds = () => [...gateway.live.devices.values()].map(({ memory }) => memory.baudRate);
    const busSpeed = async () =>
      (await gateway.api<{ buses: { baudRate: number }[] }>('/api/buses')).buses.map(({ baudRate }) => baudRate);

    await gateway.startOnline();
    await person.open();
    const changed = await person.run({ kind: 'setBusSpeed', bus: 'bus-1', baudRate: FAST });
    t.equal(changed.state, 'done', JSON.stringify(changed.error));
    t.strictSame(speeds(), [FAST, FAST]);
    await gateway.end('SIGTERM');
    await gateway.startOnline();
    t.pass('with a configuration that says something else');

    await person.open();
    const killed = new Promise<void>((resolve) => {
      wire.onFrame = ({ code, reply }) => {
        if (code !== WIRE_CODE.com || !reply) return;
        wire.onFrame = () => undefined;
        process.kill(gateway.pid, 'SIGKILL');
        resolve();
      };
    });
    void person.begin({ kind: 'setBusSpeed', bus: 'bus-1', baudRate: SLOW }).catch(() => undefined);
    await killed;
    await gateway.ended();
    t.strictSame(speeds().sort(), [FAST, SLOW].sort(), 'one went, the other did not');
    gateway.start();
    await eventually('both are back', () => speeds().every((speed) => speed === FAST), 30_000);
    await gateway.online([...gateway.live.devices.keys()]);
    await eventually('the API answers', () => gateway.isServing());
    await eventually('the bus says so', async () => (await busSpeed()).join() === String(FAST));
    await gateway.released('front', 'card-1');
  },
);
