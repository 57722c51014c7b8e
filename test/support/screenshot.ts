// The picture of the README: `npm start`, then `node test/dist/support/screenshot.js http://127.0.0.1:8080 docs/console.png`.
import { launchBrowser } from './browser.js';

const [url, path, scheme = 'light', width = '1366', height = '900'] = process.argv.slice(2);
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
await page.waitForSelector('article');
await page.waitForSelector('.event');
await page.screenshot({ path });
await browser.close();
