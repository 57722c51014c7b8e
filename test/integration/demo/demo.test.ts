import { readFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Demo, DEMO_GATEWAYS, freePorts, type LineKind } from '@sparc/simulator/live';
import t from 'tap';
import { SKIP_WITHOUT_SOCAT } from '../../support/peers.js';

t.setTimeout(240_000);

const post = async (url: string, body: object) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return response.status;
};

async function within(what: string, timeoutMs: number, condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const kind of ['pty', 'tcp'] as const satisfies readonly LineKind[]) {
  const skip = kind === 'pty' ? SKIP_WITHOUT_SOCAT : false;
  t.test(`npm start over ${kind}: a card opens a door, and all stops within 5 s`, { skip }, async (t) => {
    const dataPath = await mkdtemp(join(tmpdir(), 'sparc-demo-'));
    t.teardown(() => rm(dataPath, { recursive: true, force: true }));
    const port = await freePorts(DEMO_GATEWAYS.length);
    const demo = new Demo({ dataPath, port, kind, onFailed: (error) => t.fail(error.message) });
    t.teardown(() => demo.stop());
    await demo.start();
    t.equal(demo.kind, kind);
    t.equal((await stat(demo.folder.keysFile)).mode & 0o777, 0o600);

    const devices = async () => {
      const response = await fetch(`${demo.simulatorUrl}/site`);
      return ((await response.json()) as { devices: { keyed: boolean; secure: boolean }[] }).devices;
    };
    await within('every device that has a key is secured', 15_000, async () =>
      (await devices()).every(({ keyed, secure }) => secure === keyed),
    );
    t.equal(await post(`${demo.simulatorUrl}/doors/garden/open`, {}), 409, 'locked at first');
    // A reader that has just connected may hold an old read, so the first presentation is perhaps not granted.
    const present = () => post(`${demo.simulatorUrl}/readers/garden-in/card`, { cardId: 'card-ada.almeida' });
    let presentedAtMs = -Infinity;
    await within('the garden gate opens', 20_000, async () => {
      if (performance.now() - presentedAtMs > 3_000) {
        presentedAtMs = performance.now();
        t.equal(await present(), 204);
      }
      return (await post(`${demo.simulatorUrl}/doors/garden/open`, {})) === 204;
    });
    for (const { id } of DEMO_GATEWAYS) {
      const log = await readFile(demo.folder.gateway(id).logFile, 'utf8');
      t.notMatch(log, /\b1000\b|almeida/i, 'no card number and no name in the log');
    }

    const stoppedFromMs = performance.now();
    await demo.stop();
    t.ok(performance.now() - stoppedFromMs < 5_000);
  });
}

t.test('a port of one of the pages that is in use is said before anything starts', async (t) => {
  const dataPath = await mkdtemp(join(tmpdir(), 'sparc-demo-'));
  t.teardown(() => rm(dataPath, { recursive: true, force: true }));
  const port = await freePorts(DEMO_GATEWAYS.length);
  const other = createServer().listen(port + 1, '127.0.0.1');
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
    const port = await freePorts(DEMO_GATEWAYS.length);
    const demo = new Demo({ dataPath, port, onFailed: (error) => t.fail(error.message) });
    await t.rejects(demo.start(), { code: 'ERR_SIMULATOR_DEMO_FOLDER', message: /site\.yaml/ });
    await demo.stop();
  });
}
