import type { Test } from 'tap';
import type { Browser } from 'playwright-core';
import { startCommissioning, type Wall } from '../../support/commissioning-site.js';

/** A page that looks at commissioning over a wall. */
export async function commissioningScene(
  t: Test,
  browser: Browser,
  wall: Wall,
  viewport = { width: 1280, height: 900 },
) {
  const { url, asked, openWindow } = await startCommissioning(t, wall);
  const context = await browser.newContext({ viewport });
  t.teardown(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // The browser reports every refused request by itself.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  await page.goto(`${url}#commissioning`);
  await page.locator('.bus').first().waitFor();

  const begin = async () => {
    await page.getByLabel('Code of the window').fill(openWindow());
    await page.getByRole('button', { name: 'Begin' }).click();
    await page.getByRole('heading', { name: 'You may commission' }).waitFor();
  };
  return { page, asked, complaints, openWindow, begin };
}
