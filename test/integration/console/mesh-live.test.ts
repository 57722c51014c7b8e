import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { launchBrowser, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';

t.setTimeout(120_000);

/** For a machine that has other things to do as well. */
const patience = { timeout: 30_000 };

t.test(
  'a page follows three real gateways: all hear each other, one is killed, and is back',
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
    for (let answer; answer === undefined;) answer = await hallway.mesh();

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
    t.match(
      await page.getByRole('article', { name: 'gate' }).textContent(),
      /Hears.*all others/,
      'as gate itself says',
    );

    await cellar.end('SIGKILL');
    await page.getByRole('heading', { name: 'cellar is not heard.' }).waitFor(patience);
    await page
      .locator('.mesh-link[data-state=cut]')
      .nth(1)
      .waitFor({ ...patience, state: 'attached' });
    t.equal(await page.locator('.mesh-link[data-state=heard]').count(), 1);

    cellar.start();
    await together.waitFor(patience);
    t.strictSame(complaints, []);
  },
);
