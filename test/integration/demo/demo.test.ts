import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Demo, DEMO_GATEWAYS, DEMO_PORT_COUNT, freePorts } from '@sparc/simulator/live';
import t from 'tap';
import { startDemo } from '../../support/demo.js';
import { eventually, SKIP_WITHOUT_SOCAT } from '../../support/peers.js';

const post = async (url: string, body: object) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return response.status;
};

t.test(
  '`npm start`: a card opens a door over a pseudo-terminal, and Ctrl-C ends all',
  { skip: SKIP_WITHOUT_SOCAT },
  async (t) => {
    const { folder, said, stop, processes } = await startDemo(t);
    t.match(said, 'over pseudo-terminals');
    const simulatorUrl = /^Simulator +(\S+)\/site$/m.exec(said)?.[1] ?? '';
    t.equal((await stat(join(folder, 'osdp-keys.yaml'))).mode & 0o777, 0o600);
    t.ok((await processes()).length >= 7, 'itself, three gateways and their site processes');

    const devices = async () => {
      const response = await fetch(`${simulatorUrl}/site`);
      return ((await response.json()) as { devices: { keyed: boolean; secure: boolean }[] }).devices;
    };
    const areSecured = async () => (await devices()).every(({ keyed, secure }) => secure === keyed);
    await eventually('every device that has a key is secured', areSecured);
    t.equal(await post(`${simulatorUrl}/doors/garden/open`, {}), 409, 'locked at first');
    // A reader that has just connected may hold an old read, so the first presentation is perhaps not granted.
    const present = () => post(`${simulatorUrl}/readers/garden-in/card`, { cardId: 'card-ada.almeida' });
    let presentedAtMs = -Infinity;
    const opens = async () => {
      if (performance.now() - presentedAtMs > 3_000) {
        presentedAtMs = performance.now();
        t.equal(await present(), 204);
      }
      return (await post(`${simulatorUrl}/doors/garden/open`, {})) === 204;
    };
    await eventually('the garden gate opens', opens);

    t.equal(await stop(), 0);
    t.same(await processes(), [], 'nothing is left running');
    for (const { id } of DEMO_GATEWAYS) {
      const log = await readFile(join(folder, id, 'gateway.log'), 'utf8');
      t.match(log, /stopped\n$/, `${id} stopped in order`);
      t.notMatch(log, /\b1000\b|almeida/i, 'no card number and no name in the log');
    }
  },
);

t.test('a port of one of the pages that is in use is said before anything starts', async (t) => {
  const dataPath = await mkdtemp(join(tmpdir(), 'sparc-demo-'));
  t.teardown(() => rm(dataPath, { recursive: true, force: true }));
  const port = await freePorts(DEMO_PORT_COUNT);
  const other = createServer().listen(port + 1, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const demo = new Demo({ dataPath, port, onFailed: (error) => t.fail(error.message) });
  await t.rejects(demo.start(), { code: 'ERR_SIMULATOR_PORT_IN_USE' });
  await demo.stop();
});

for (const edited of ['doors: 1', 'devices: []\nreaders: [}']) {
  t.test('a site file that is none any more is said, with its name', async (t) => {
    const dataPath = await mkdtemp(join(tmpdir(), 'sparc-demo-'));
    t.teardown(() => rm(dataPath, { recursive: true, force: true }));
    await writeFile(join(dataPath, 'site.yaml'), edited);
    const port = await freePorts(DEMO_PORT_COUNT);
    const demo = new Demo({ dataPath, port, onFailed: (error) => t.fail(error.message) });
    await t.rejects(demo.start(), { code: 'ERR_SIMULATOR_DEMO_FOLDER', message: /site\.yaml/ });
    await demo.stop();
  });
}
