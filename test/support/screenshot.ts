// The picture of the README, from the running demo:
// `npm start`, then `node test/dist/support/screenshot.js http://127.0.0.1:8080 docs/console.png`.
import type { Page } from 'playwright-core';
import { launchBrowser } from './browser.js';

const [url, path, scheme = 'light', width = '1366', height = '1000'] = process.argv.slice(2);
if (url === undefined || path === undefined) {
  console.error('usage: screenshot.js URL FILE [light|dark] [WIDTH] [HEIGHT]');
  process.exit(2);
}
const browser = await launchBrowser();
const page = await browser.newPage({
  viewport: { width: Number(width), height: Number(height) },
  colorScheme: scheme === 'dark' ? 'dark' : 'light',
});
await page.goto(url);
await page.locator('article:visible').first().waitFor();
if (await page.getByRole('button', { name: 'Present card' }).first().isVisible()) await play(page);
await page.evaluate('window.scrollTo(0, 0)');
await page.screenshot({ path });
await browser.close();

/** A few things happen at the doors, so that there is something to see. */
async function play(page: Page): Promise<void> {
  const door = (name: string) => page.getByRole('article', { name });
  const press = (doorName: string, button: string) =>
    door(doorName).getByRole('button', { name: button, exact: true }).click();
  const present = async (doorName: string, cardIndex: number) => {
    await door(doorName).getByRole('combobox', { name: 'Card' }).selectOption({ index: cardIndex });
    await press(doorName, 'Present card');
  };
  await page.getByText('Secure', { exact: true }).nth(2).waitFor();
  await present('Main entrance', 7);
  await page.getByText('No right here').first().waitFor();
  await press('Garden gate', 'Force');
  await door('Garden gate').getByText('Forced open').waitFor();
  await present('Main entrance', 0);
  await door('Main entrance').getByText('Released').waitFor();
  await press('Main entrance', 'Open');
  await page.getByText('Went through').first().waitFor();
  await page.waitForTimeout(500);
}
