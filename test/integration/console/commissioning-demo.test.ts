import t from 'tap';
import type { BusesView } from '@sparc/edge/commissioning';
import { launchBrowser, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { startDemo } from '../../support/demo.js';
import { eventually } from '../../support/peers.js';
import { sparc } from '../../support/sparc-command.js';

t.setTimeout(180_000);

/** On a loaded machine a search, which waits for every address, takes its time. */
const SEARCH_MAX_MS = 60_000;

t.test('a factory-new reader is put into service on the page', { skip: SKIP_WITHOUT_CHROMIUM }, async (t) => {
  const demo = await startDemo(t);
  const config = ['--config', demo.configOf('reception')];
  const browser = await launchBrowser();
  t.teardown(() => browser.close());
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
  await door.getByRole('button', { name: 'Present card' }).click();
  await page.locator('.event', { hasText: 'Main entrance, ramp' }).getByText('Granted').waitFor();
  await door.getByText('Released').waitFor();
  for (const title of ['Commissioning opened', 'New key proven', 'Commissioning closed']) {
    t.ok(await page.locator('.event', { hasText: title }).count(), title);
  }
});
