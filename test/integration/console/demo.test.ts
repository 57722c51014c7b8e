import t from 'tap';
import type { BusesView } from '@sparc/edge/commissioning';
import { launchBrowser, untilSeen, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { startDemo } from '../../support/demo.js';
import { eventually } from '../../support/peers.js';
import { sparc } from '../../support/sparc-command.js';

/** For a machine that has other things to do as well. */
const HEARD_MAX_MS = 40_000;
/** There, a search, which waits for every address, takes its time. */
const SEARCH_MAX_MS = 60_000;

t.test('the page of the demo', { skip: SKIP_WITHOUT_CHROMIUM }, async (t) => {
  const demo = await startDemo(t);
  const browser = await launchBrowser();
  t.teardown(() => browser.close());

  await t.test('a factory-new reader is put into service on it', async (t) => {
    const config = ['--config', demo.configOf('reception')];
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    await page.goto(`${demo.pages.reception}#commissioning`);
    const bus = page.getByRole('article', { name: 'bus-1' });
    const reader = bus.locator('.device', { hasText: 'spare-reader' });
    await reader.getByText('No key', { exact: true }).waitFor();

    const opened = await sparc(['commission', 'open', '--operator', 'Ada Lovelace', '--json', ...config]);
    t.equal(opened.exitCode, 0, opened.stderr);
    await page.getByLabel('Code of the window').fill(JSON.parse(opened.stdout).code);
    await page.getByRole('button', { name: 'Begin' }).click();

    await bus.getByRole('button', { name: 'Search for readers' }).click();
    const search = page.getByRole('dialog');
    await search.getByLabel('115 200 baud').uncheck();
    await search.getByLabel('Addresses from 0 up to').fill('9');
    await search.getByRole('button', { name: 'Search' }).click();
    const found = bus.locator('.found-device', { hasText: 'Address 9' });
    await found.getByText('Not in the plan').waitFor({ timeout: SEARCH_MAX_MS });
    await bus.getByText(/Not found: Main entrance, ramp \(address 4\)/).waitFor({ timeout: SEARCH_MAX_MS });

    await found.getByRole('button', { name: 'Set address' }).click();
    const move = page.getByRole('dialog', { name: 'Move the reader at address 9' });
    t.equal(await move.getByRole('combobox').inputValue(), '4');
    await move.getByRole('button', { name: 'Set the address' }).click();
    const tasks = page.locator('#task-list');
    await tasks.locator('[data-state=done]', { hasText: 'Set address' }).waitFor({ timeout: SEARCH_MAX_MS });

    await reader.getByRole('button', { name: 'Set key' }).click();
    await page.getByRole('dialog', { name: 'Set the first key' }).getByRole('button', { name: 'set the key' }).click();
    await reader.getByText('Key proven').waitFor({ timeout: SEARCH_MAX_MS });
    await eventually('the report has it at its address, secure', async () => {
      const { stdout } = await sparc(['commission', 'health', '--json', ...config]);
      const { buses } = JSON.parse(stdout) as BusesView;
      const spare = buses[0]?.devices.find(({ deviceId }) => deviceId === 'spare-reader');
      return spare?.address === 4 && spare.link === 'online' && spare.secure && spare.key === 'proven';
    });

    await page.getByRole('button', { name: 'Close the window' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close it' }).click();
    await page.getByRole('heading', { name: 'Commissioning is closed' }).waitFor();

    await page.getByRole('link', { name: 'Doors', exact: true }).click();
    const door = page.getByRole('article', { name: 'Main entrance' });
    await door.getByRole('combobox', { name: 'Reader' }).selectOption({ label: 'Main entrance, ramp' });
    const card = door.getByRole('combobox', { name: 'Card' });
    await card.selectOption({ label: await card.getByText('always-in').first().innerText() });
    await untilSeen(
      () => door.getByRole('button', { name: 'Present card' }).click(),
      page.locator('.event', { hasText: 'Main entrance, ramp' }).getByText('Granted').first(),
    );
    await door.getByText('Released').waitFor();
    for (const title of ['Commissioning opened', 'New key proven', 'Commissioning closed']) {
      t.ok(await page.locator('.event', { hasText: title }).count(), title);
    }
    await page.close();
  });

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
    const events = (who: string, what: string) => page.locator('.event', { hasText: who }).filter({ hasText: what });
    const event = (who: string, what: string) => events(who, what).first().waitFor();

    await untilSeen(() => present('no right'), events('Denied', 'No right here').first());

    await server.getByText('Keypad, other card, faults').click();
    const awaited = events('PIN awaited', 'Bruno Berg');
    await untilSeen(async () => {
      const knownCount = await awaited.count();
      await untilSeen(() => present('PIN 1234'), awaited.nth(knownCount));
      for (const key of '1234#') await server.getByRole('button', { name: `Key ${key}`, exact: true }).click();
    }, events('Granted', 'Bruno Berg').first());
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

  t.equal(await demo.stop(), 0);
  await page.getByText('This page has lost its gateway').waitFor();
});
