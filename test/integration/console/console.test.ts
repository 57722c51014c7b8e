import t, { type Test } from 'tap';
import type { Browser, Page } from 'playwright-core';
import type { DoorSnapshot, SiteSnapshot } from '@sparc/edge/api';
import { SiteProcess } from '@sparc/edge/site';
import { launchBrowser, says, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { freePort } from '@sparc/simulator/live';
import { eventually } from '../../support/peers.js';
import { NO_COMMISSIONING, NO_MESH, siteEvent, siteSnapshot } from '../../support/site-fixture.js';
import { systemClock } from '../../support/system-clock.js';

t.test('the console', { skip: SKIP_WITHOUT_CHROMIUM }, async (t) => {
  const browser = await launchBrowser();
  t.teardown(() => browser.close());

  t.test('shows doors, their readers and what is wrong with them', async (t) => {
    const { page, complaints } = await open(t, browser);
    const front = page.getByRole('article', { name: 'Front door' });
    await says(front, /Closed.*Locked.*Front, outside.*Secure/);
    const server = page.getByRole('article', { name: 'Server room' });
    await says(server, /Forced open.*Locked.*Offline/);
    const problems = page.getByRole('region', { name: 'Problems' });
    await says(problems, /ERR_BUS_DEVICE_UNPLUGGED/);
    await says(problems, /What to do: Check the USB cable/);
    await says(page.locator('#state'), /^4 problems$/);
    await says(page.locator('#site-facts'), /hallway-closet.*9f2c1d7e/);
    t.strictSame(complaints, []);
  });

  t.test('follows a passage live and folds its outcome into the grant', async (t) => {
    const { page, site, changeDoor } = await open(t, browser);
    changeDoor('front', { mode: 'released', physical: 'open' });
    site.event(siteEvent(1));
    site.event(siteEvent(2, { name: 'access.released', cause: '3.1' }));
    site.event(siteEvent(3, { name: 'access.used', cause: '3.1' }));
    const front = page.getByRole('article', { name: 'Front door' });
    await front.getByText('Released').waitFor();
    await front.locator('.contact', { hasText: 'Open' }).waitFor();
    const row = page.locator('.event', { hasText: 'Ada Lovelace' });
    await row.getByText('Went through').waitFor();
    await says(row, /Granted Ada Lovelace.*Front, outside.*Released.*Went through/);
    t.equal(await page.locator('.event').count(), 1);
  });

  t.test('says why in different words where the remedy differs, and filters', async (t) => {
    const { page, site } = await open(t, browser);
    site.event(siteEvent(1));
    site.event(siteEvent(2, { name: 'access.denied', severity: 'notice', reason: 'no_right' }));
    const detail = { reason: 'outside_schedule', alsoFailed: ['pin_required'] } as const;
    site.event(siteEvent(3, { name: 'access.denied', severity: 'notice', holderName: 'Grace Hopper', ...detail }));
    await page.getByText('No right here').waitFor();
    await page.getByText('Outside the schedule; also: PIN was not entered').waitFor();
    await page.getByRole('radio', { name: 'Granted' }).check({ force: true });
    await page.locator('.event').nth(1).waitFor({ state: 'detached' });
    await page.getByRole('radio', { name: 'Denied' }).check({ force: true });
    await page.getByLabel('Search events').fill('hopper');
    await page.locator('.event', { hasText: 'Ada' }).waitFor({ state: 'detached' });
    await says(page.locator('.event'), /Grace Hopper/);
    t.pass();
  });

  t.test('shows names as text, whatever they contain', async (t) => {
    const { page, site, changeDoor, complaints } = await open(t, browser);
    const hostile = '<img src=x onerror="document.title=1"><b>bold</b>';
    changeDoor('front', { name: hostile });
    site.event(siteEvent(1, { holderName: hostile }));
    await page.getByRole('heading', { name: hostile }).waitFor();
    await page.locator('.event', { hasText: hostile }).waitFor();
    t.equal(await page.locator('img').count(), 0);
    t.strictSame(complaints, []);
  });

  t.test('says when it is not live, and recovers by itself', async (t) => {
    const { page, site } = await open(t, browser);
    process.kill(site.pid ?? 0, 'SIGKILL');
    await page.getByText('Not live').waitFor();
    await page.getByText('This page has lost its gateway').waitFor();
    site.event(siteEvent(1));
    await page.getByText('4 problems').waitFor();
    t.pass();
  });

  t.test('every control has a name, and is large enough for a finger', async (t) => {
    const { page } = await open(t, browser);
    for (const control of await page.locator('button:visible, select:visible, input[type=search]:visible').all()) {
      const box = await control.boundingBox();
      t.ok((box?.height ?? 0) >= 44, await control.evaluate((element) => element.outerHTML));
    }
    for (const role of ['button', 'combobox', 'searchbox', 'radio'] as const) {
      t.equal(await page.getByRole(role, { name: /^$/ }).count(), 0, role);
    }
  });
});

/** The real site process, on a free port, and a page that looks at it. */
async function open(t: Test, browser: Browser) {
  let snapshot: SiteSnapshot = siteSnapshot();
  let url = '';
  const site = new SiteProcess(
    systemClock,
    {
      ...NO_COMMISSIONING,
      snapshot: () => snapshot,
      ...NO_MESH,
      onListening: (address) => (url = address),
      onDown: () => undefined,
    },
    { host: '127.0.0.1', port: await freePort(), dataDir: 'none', logLevel: 'silent' },
  );
  t.teardown(() => site.stop());
  site.start();
  await eventually('the API listens', () => url !== '');
  const page: Page = await browser.newPage();
  t.teardown(() => page.close());
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  await page.locator('article').first().waitFor();
  const changeDoor = (id: string, change: Partial<DoorSnapshot>) => {
    snapshot = { ...snapshot, doors: snapshot.doors.map((door) => (door.id === id ? { ...door, ...change } : door)) };
    site.changed('snapshot');
  };
  return { page, site, complaints, changeDoor };
}
