import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Locator, Page } from 'playwright-core';
import { createDatabase, createTenant } from '@sparc/cloud-sync/db';
import { demoSite } from '@sparc/simulator/live';
import { launchBrowser, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { CloudApi, PASSWORD } from '../../support/cloud-api.js';
import { migrated, openPglite } from '../../support/databases.js';
import { eventually } from '../../support/peers.js';
import { SEALING_SECRET } from '../../support/sealing.js';
import { systemClock } from '../../support/system-clock.js';

t.setTimeout(300_000);

t.test('what an administrator does on the page of the cloud', { skip: SKIP_WITHOUT_CHROMIUM }, async (t) => {
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
  const open = async (view = 'users', width = 1366, height = 900) => {
    const context = await browser.newContext({ viewport: { width, height } });
    t.teardown(() => context.close());
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${url}#${view}`);
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

  await t.test('users: adds one, whose password is made and shown once', async (t) => {
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

  await t.test('users: gives another role, a new password, bars and lets in again', async (t) => {
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

  await t.test('users: the last administrator stays one; who changes themselves logs in anew', async (t) => {
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

  await t.test('users: whoever is no administrator is not offered the view, nor answered', async (t) => {
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

  await t.test('claim codes: withdraws those that are open', async (t) => {
    const path = '/api/v1/sites/quay/claims';
    const { accessToken } = (await api.login('ada', 'a third horse battery')).body;
    for (const name of ['hall', 'gate']) await api.call('POST', path, { name }, accessToken);
    const page = await open('gateways');
    await logIn(page, 'ada', 'a third horse battery');
    await press(page, 'Add a gateway…', 'Make a code');
    await page.locator('#claim-command', { hasText: 'sparc gateway claim' }).waitFor();
    await press(page, 'Withdraw codes…', 'Withdraw them');
    const withdrawn = page.locator('#codes-withdrawn');
    await withdrawn.getByText('Withdrawn: 3 codes that no gateway had used.').waitFor();
    t.equal(await page.locator('#claim-command').textContent(), '', 'the one that is shown admits nobody either');
    const { entries } = (await api.call('GET', '/api/v1/audit?limit=1', undefined, accessToken)).body;
    t.match(entries, [{ actor: 'ada', act: 'gateway.offers_withdrawn', subject: 'quay', detail: { count: 3 } }]);
    await press(page, 'Withdraw codes…', 'Withdraw them');
    await withdrawn.getByText('No code was open.').waitFor();

    const bob = await open('gateways');
    await logIn(bob, 'bob@example.org', 'another horse battery');
    await bob.getByRole('heading', { name: 'Quay' }).waitFor();
    t.equal(await bob.getByRole('button', { name: 'Withdraw codes…' }).count(), 0);
  });

  await t.test('what the cloud may direct keeps its scope and its rights, but for what is changed', async (t) => {
    const { accessToken } = (await api.login('ada', 'a third horse battery')).body;
    const ask = (method: 'GET' | 'PUT', path: string, body?: object) =>
      api.call(method, `/api/v1/sites/quay/${path}`, body, accessToken);
    const file = { ...demoSite('UTC'), site: { ...demoSite('UTC').site, id: 'quay' } };
    t.equal((await ask('PUT', 'policy/site-file', file)).status, 200);
    const given = { rights: ['mode', 'expel'], scope: ['server-room', 'annexe'], untilUnixMs: Date.now() + 86_400_000 };
    t.equal((await ask('PUT', 'cloud-operator', given)).status, 204);
    const page = await open('site');
    await logIn(page, 'ada', 'a third horse battery');
    const delegated = async () => (await ask('GET', 'cloud-operator')).body.delegated;
    const change = async (fill: (dialog: Locator) => Promise<unknown>, go = 'Let the cloud direct') => {
      const before = await delegated();
      await page.locator('#operator-words', { hasText: 'may' }).waitFor();
      await press(page, 'Change…', go, () => fill(page.getByRole('dialog')));
      await eventually('it is given', async () => (await delegated()).untilUnixMs !== before.untilUnixMs);
      return delegated();
    };
    const longer = await change(async (dialog) => {
      await dialog.getByRole('combobox').selectOption('1 year');
    });
    t.match(longer.rights, ['mode', 'expel']);
    t.strictSame([...longer.scope].sort(), ['annexe', 'server-room'], 'what the draft does not have as well');
    t.ok(longer.untilUnixMs > given.untilUnixMs);
    const other = await change(async (dialog) => {
      await dialog.getByRole('checkbox', { name: 'Garden gate' }).check();
      await dialog.getByRole('checkbox', { name: 'annexe' }).uncheck();
    });
    t.strictSame([...other.scope].sort(), ['garden', 'server-room']);
    const none = async (dialog: Locator) => {
      await dialog.getByRole('checkbox', { name: 'Garden gate' }).uncheck();
      await dialog.getByRole('checkbox', { name: 'Server room area' }).uncheck();
    };
    await page.getByRole('button', { name: 'Change…', exact: true }).click();
    await none(page.getByRole('dialog'));
    await page.getByRole('dialog').getByRole('button', { name: 'Let the cloud direct' }).click();
    await page.getByRole('dialog', { name: 'The whole site?' }).getByRole('button', { name: 'Cancel' }).click();
    t.strictSame((await delegated()).scope, other.scope, 'who takes out the last place is asked');
    const whole = await change(async (dialog) => {
      await none(dialog);
      await dialog.getByRole('button', { name: 'Let the cloud direct' }).click();
    }, 'The whole site');
    t.strictSame(whole.scope, []);
  });

  await t.test('users: fit a phone', async (t) => {
    const page = await open('users', 360, 740);
    await logIn(page, 'ada', 'a third horse battery');
    await row(page, 'olive').waitFor();
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
    for (const target of await page.locator('button:visible, .tabs a:visible').all()) {
      t.ok(((await target.boundingBox())?.height ?? 0) >= 44, `${await target.textContent()}`);
    }
  });
  t.strictSame(complaints, []);
});
