import t from 'tap';
import { launchBrowser, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { startDemo } from '../../support/demo.js';

t.setTimeout(240_000);

/** For a machine that has other things to do as well. */
const HEARD_MAX_MS = 40_000;

t.test('the page of the demo', { skip: SKIP_WITHOUT_CHROMIUM }, async (t) => {
  const demo = await startDemo(t);
  const browser = await launchBrowser();
  t.teardown(() => browser.close());
  const page = await browser.newPage();
  await page.goto(demo.pages.basement);

  await t.test('a card that is presented on it opens a door', async (t) => {
    const server = page.getByRole('article', { name: 'Server room' });
    await server.getByText('Secure').nth(1).waitFor();
    const present = async (who: string) => {
      const card = server.getByRole('combobox', { name: 'Card' });
      await card.selectOption({ label: await card.getByText(who).first().innerText() });
      await server.getByRole('button', { name: 'Present card' }).click();
    };
    const event = (who: string, what: string) =>
      page.locator('.event', { hasText: who }).filter({ hasText: what }).first().waitFor();

    await present('no right');
    await event('Denied', 'No right here');

    await present('PIN 1234');
    await event('PIN awaited', 'Bruno Berg');
    await server.getByText('Keypad, other card, faults').click();
    for (const key of '1234#') await server.getByRole('button', { name: `Key ${key}`, exact: true }).click();
    await event('Granted', 'Bruno Berg');
    await server.getByText('Released').waitFor();
    await server.getByRole('button', { name: 'Open', exact: true }).click();
    await event('Granted', 'Went through');
    await server.locator('.contact', { hasText: 'Open' }).waitFor();
    await server.getByRole('button', { name: 'Close', exact: true }).click();
    await server.locator('.lock', { hasText: 'Locked' }).waitFor();

    await server.getByRole('button', { name: 'Force' }).click();
    await page.getByRole('region', { name: 'Problems' }).getByText('Server room: forced open').waitFor();
    await server.getByRole('button', { name: 'Close', exact: true }).click();
    await server.getByRole('button', { name: 'Exit button' }).click();
    await event('Exit button', 'Server room');
    t.pass();
  });

  await t.test('a cable is cut and a gateway killed on it, its own one too', async (t) => {
    await page.getByRole('link', { name: 'Mesh' }).click();
    const controls = page.getByRole('region', { name: 'Simulator', exact: true });
    const press = (name: string) => controls.getByRole('button', { name, exact: true }).click();
    const headline = (words: string) =>
      page.locator('#mesh-headline', { hasText: words }).waitFor({ timeout: HEARD_MAX_MS });
    await headline('All 3 gateways hear each other.');
    await press('Cut Reception – Basement');
    await headline('All gateways are in reach, but 1 link is down.');
    await press('Mend Reception – Basement');
    await headline('All 3 gateways hear each other.');

    await press('Kill Basement');
    await page.getByText('This page has lost its gateway').waitFor();
    await controls.getByRole('listitem').filter({ hasText: 'Basement' }).first().getByText('Killed').waitFor();
    await press('Start Basement');
    await page.getByText('This page has lost its gateway').waitFor({ state: 'hidden', timeout: HEARD_MAX_MS });
    await headline('All 3 gateways hear each other.');
    t.pass();
  });

  const { exitCode, tookMs } = await demo.stop();
  t.equal(exitCode, 0);
  t.ok(tookMs < 5_000, `Ctrl-C took ${Math.round(tookMs)} ms`);
  await page.getByText('This page has lost its gateway').waitFor();
});
