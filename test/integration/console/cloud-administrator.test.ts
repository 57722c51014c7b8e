import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Page } from 'playwright-core';
import { createDatabase, createTenant } from '@sparc/cloud-sync/db';
import { launchBrowser, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { CloudApi, PASSWORD } from '../../support/cloud-api.js';
import { migrated, openPglite } from '../../support/databases.js';
import { SEALING_SECRET } from '../../support/sealing.js';
import { systemClock } from '../../support/system-clock.js';

t.setTimeout(300_000);

t.test('users, on the page of the cloud', { skip: SKIP_WITHOUT_CHROMIUM }, async (t) => {
  const database = createDatabase(await migrated(await openPglite(t)), SEALING_SECRET);
  const tenant = await createTenant(database, { name: 'Port', region: 'eu', retentionDays: 90 });
  const keys = await mkdtemp(join(tmpdir(), 'sparc-cloud-keys-'));
  t.teardown(() => rm(keys, { recursive: true, force: true }));
  const api = await CloudApi.build(t, { database, clock: systemClock, keys });
  const token = await api.tokenOf(tenant, 'ada', 'administrator');
  await api.user(tenant, 'olive', 'operator');
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  t.equal((await api.call('POST', '/api/v1/sites', { id: 'quay', name: 'Quay' }, token)).status, 201);
  const browser = await launchBrowser();
  t.teardown(() => browser.close());

  const complaints: string[] = [];
  const open = async (width = 1366, height = 900) => {
    const context = await browser.newContext({ viewport: { width, height } });
    t.teardown(() => context.close());
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${url}#users`);
    return page;
  };
  const logIn = async (page: Page, name: string, password = PASSWORD) => {
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  };
  const row = (page: Page, name: string) => page.getByRole('row', { name });
  /** Presses a button of the view, and in the dialog, where `fill` has been, the one that does it. */
  const press = async (
    page: Page,
    button: string,
    go: string,
    fill: (dialog: Page) => Promise<unknown> = async () => {},
  ) => {
    await page.getByRole('button', { name: button, exact: true }).click();
    await fill(page);
    await page.getByRole('dialog').getByRole('button', { name: go, exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  };
  const role = (value: string) => (page: Page) => page.getByRole('dialog').getByLabel('Role').selectOption(value);

  await t.test('an administrator adds one, whose password is made and shown once', async (t) => {
    const page = await open();
    await logIn(page, 'ada');
    await row(page, 'ada (you)').getByText('administrator').waitFor();
    await row(page, 'olive').getByText('never').waitFor();
    await page.getByText('Each sees every site of').waitFor();
    await press(page, 'Add a user…', 'Add', async () => {
      await page.getByRole('dialog').getByLabel('Name').fill('Bob@example.org');
      await role('operator')(page);
    });
    await row(page, 'bob@example.org').getByText('operator').waitFor();
    const shown = page.locator('#user-password code');
    await page.getByRole('heading', { name: 'Password of Bob@example.org' }).waitFor();
    const password = (await shown.textContent()) ?? '';
    t.match(password, /^[\w-]{20}$/);
    await page.getByRole('button', { name: 'Done' }).click();
    t.equal(await shown.textContent(), '');
    t.equal((await api.login('bob@example.org', password)).status, 200);

    await press(page, 'Add a user…', 'Add', () => page.getByRole('dialog').getByLabel('Name').fill('olive'));
    await page.getByRole('alert').getByText('ERR_USER_NAME_TAKEN').waitFor();
    t.notOk(await page.locator('#user-password').isVisible(), 'no password of nobody');
  });

  await t.test('and gives another role, a new password, bars and lets in again', async (t) => {
    const page = await open();
    await logIn(page, 'ada');
    const bob = row(page, 'bob@example.org');
    const { accessToken } = (await api.login('olive')).body;
    await press(page, 'Role: olive', 'Change the role', role('viewer'));
    await row(page, 'olive').getByText('viewer').waitFor();
    t.equal((await api.call('GET', '/api/v1/me', undefined, accessToken)).status, 401, 'its login has ended');

    await press(page, 'Password: bob@example.org', 'Set the password', () =>
      page.getByRole('dialog').getByLabel('Password').fill('another horse battery'),
    );
    await page.getByText('bob@example.org has a new password.').waitFor({ state: 'attached' });
    t.notOk(await page.locator('#user-password').isVisible(), 'what was typed is not shown');
    t.equal((await api.login('bob@example.org', 'another horse battery')).status, 200);

    await press(page, 'Disable: bob@example.org', 'Disable');
    await bob.getByText('disabled').waitFor();
    t.equal((await api.login('bob@example.org', 'another horse battery')).status, 401);
    await press(page, 'Enable: bob@example.org', 'Enable');
    await bob.getByText('disabled').waitFor({ state: 'detached' });
    t.equal((await api.login('bob@example.org', 'another horse battery')).status, 200);
  });

  await t.test('but the last administrator stays one; who changes themselves logs in anew', async (t) => {
    const page = await open();
    await logIn(page, 'ada');
    for (const refused of [
      () => press(page, 'Disable: ada', 'Disable'),
      () => press(page, 'Role: ada', 'Change the role', role('viewer')),
    ]) {
      await refused();
      await page.getByRole('alert').getByText('ERR_USER_LAST_ADMINISTRATOR').waitFor();
    }
    await press(page, 'Password: ada', 'Set the password', () =>
      page.getByRole('dialog').getByLabel('Password').fill('a third horse battery'),
    );
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    t.equal(await page.locator('#users tbody tr').count(), 0, 'nothing is left of who was logged in');
    await logIn(page, 'ada', 'a third horse battery');
    await row(page, 'ada (you)').waitFor();
  });

  await t.test('whoever is none is not offered the view, nor answered', async (t) => {
    const page = await open();
    await logIn(page, 'bob@example.org', 'another horse battery');
    await page.getByRole('heading', { name: 'Quay' }).waitFor();
    await page.locator('#gateways').waitFor();
    t.equal(await page.getByRole('link', { name: 'Users' }).count(), 0);
    t.notOk(await page.locator('#users').isVisible(), 'by its address neither');
    const { accessToken } = (await api.login('bob@example.org', 'another horse battery')).body;
    const body = { name: 'mallory', role: 'administrator', password: PASSWORD };
    for (const [method, path] of [
      ['GET', ''],
      ['POST', ''],
      ['PATCH', `/${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`],
    ] as const) {
      const answer = await api.call(method, `/api/v1/users${path}`, method === 'GET' ? undefined : body, accessToken);
      t.match(answer, { status: 403, body: { code: 'ERR_API_FORBIDDEN' } }, method);
    }
  });

  await t.test('fits a phone', async (t) => {
    const page = await open(360, 740);
    await logIn(page, 'ada', 'a third horse battery');
    await row(page, 'olive').waitFor();
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
    for (const target of await page.locator('button:visible, .tabs a:visible').all()) {
      t.ok(((await target.boundingBox())?.height ?? 0) >= 44, `${await target.textContent()}`);
    }
  });
  t.strictSame(complaints, []);
});
