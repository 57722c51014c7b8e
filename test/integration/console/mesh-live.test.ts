import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { launchBrowser, says, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';
import { sparc } from '../../support/sparc-command.js';

/** For a machine that has other things to do as well. */
const patience = { timeout: 30_000 };
const START_MAX_MS = 60_000;

/** The authority gives the key of a browser its rights, and one gateway hears of it by a file. */
async function delegated(folder: string, at: MeshGateway, key: string): Promise<void> {
  const authority = ['--dir', join(folder, 'authority')];
  const courier = join(folder, 'site.courier');
  const rights = ['--name', 'Ada', '--right', 'mode', '--for', '1d'];
  for (const args of [
    ['delegate', key, ...rights],
    ['publish', courier],
  ]) {
    const { exitCode, stderr } = await sparc(['authority', ...args, ...authority]);
    if (exitCode !== 0) throw new Error(stderr);
  }
  await at.sparc('ledger', 'import', courier);
}

t.test(
  'a page follows three real gateways: all hear each other, one is killed, and is back; and a lockdown reaches them all',
  { skip: SKIP_WITHOUT_CHROMIUM },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sparc-mesh-page-'));
    const gateways: MeshGateway[] = [];
    const browser = await launchBrowser();
    t.teardown(async () => {
      await browser.close();
      await Promise.all(gateways.map((gateway) => gateway.end('SIGTERM')));
      await rm(folder, { recursive: true, force: true });
    });
    for (const name of ['hallway', 'gate', 'cellar']) gateways.push(await MeshGateway.create(folder, name));
    const [hallway, , cellar] = gateways;
    if (hallway === undefined || cellar === undefined) throw new Error('three gateways');
    await enrol(folder, 'harbour', gateways);
    for (const gateway of gateways) gateway.start();
    const answers = (gateway: MeshGateway) =>
      eventually(`${gateway.name} answers`, async () => (await gateway.mesh()) !== undefined, START_MAX_MS);
    for (const gateway of gateways) await answers(gateway);

    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${hallway.apiUrl}#mesh`);
    const together = page.getByRole('heading', { name: 'All 3 gateways hear each other.' });
    await together.waitFor(patience);
    await page
      .locator('.mesh-link[data-state=heard]')
      .nth(2)
      .waitFor({ ...patience, state: 'attached' });
    await page.getByText('whole on 2 other gateways').waitFor(patience);
    // As gate itself says.
    await page
      .getByRole('article', { name: 'gate' })
      .filter({ hasText: /Hears.*all others/ })
      .waitFor(patience);

    await cellar.end('SIGKILL');
    await page.getByRole('heading', { name: 'cellar is not heard.' }).waitFor(patience);
    await page
      .locator('.mesh-link[data-state=cut]')
      .nth(1)
      .waitFor({ ...patience, state: 'attached' });
    const heardCount = () => page.locator('.mesh-link[data-state=heard]').count();
    await eventually('the other two hear each other', async () => (await heardCount()) === 1);

    cellar.start();
    await answers(cellar);
    await together.waitFor(patience);

    await page.getByRole('link', { name: 'Site', exact: true }).click();
    await page.getByRole('button', { name: 'Make a key in this browser' }).click();
    const command = (await page.getByText('sparc authority delegate').textContent()) ?? '';
    await delegated(folder, hallway, /[0-9a-f]{64}/.exec(command)?.[0] ?? '');
    await page.getByText('Ada may').waitFor(patience);
    await page.getByRole('button', { name: 'Lock down…' }).click();
    await page.getByRole('button', { name: 'Lock down', exact: true }).click();
    const directives = page.getByRole('region', { name: 'Directives and who has carried them out' });
    await directives.getByText('Applied on all 3').waitFor(patience);
    await says(directives, /Lockdown.*Ada, at hallway.*Applied on.*hallway.*gate.*cellar/);
    await page.getByRole('button', { name: 'End: Lockdown' }).click();
    await page.getByRole('button', { name: 'End it' }).click();
    await page.getByRole('heading', { name: 'Nothing is ordered for the site' }).waitFor(patience);
    await directives.getByText('Applied on all 3').nth(1).waitFor(patience);
    for (const { name, journal } of gateways) {
      const ended = journal.filter(({ record }) => record?.name === 'site.lockdown_ended');
      t.equal(ended.length, 1, `the lockdown ended once at ${name}`);
    }
    t.strictSame(complaints, []);
  },
);
