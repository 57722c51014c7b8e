import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Page } from 'playwright-core';
import { Months, takeBatch } from '@sparc/cloud-sync/ingest';
import { nodeCrypto, toHex } from '@sparc/cloud-sync/platform';
import { keepRefusal } from '@sparc/cloud-sync/sites';
import { encodeSignedDirective, openDirective } from '@sparc/protocol/directive';
import type { StoredRecord } from '@sparc/protocol/ledger';
import type { LogCommit } from '@sparc/protocol/ports';
import { demoSite } from '@sparc/simulator/live';
import { NewGateway } from '../../cloud-sync/enrolment/enrolment-scene.js';
import { launchBrowser, says, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { CloudApi, PASSWORD } from '../../support/cloud-api.js';
import { cloudSite } from '../../support/cloud-site.js';
import { migrated, openPglite } from '../../support/databases.js';
import { eventually } from '../../support/peers.js';
import { systemClock } from '../../support/system-clock.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

t.setTimeout(300_000);

const [FRONT, BACK] = [testSigner(61), testSigner(62)];

const started = (name: string): StoredRecord => ({ name: 'gateway.started', detail: { name, buses: 'bus-1' } });
const loaded = (revision: string): StoredRecord => ({ name: 'policy.loaded', detail: { revision } });
const demoSiteOf = (id: string) => ({ ...demoSite('UTC'), site: { ...demoSite('UTC').site, id } });
const granted = (holderId: string): StoredRecord => ({
  name: 'access.granted',
  doorId: 'front',
  accessPointId: 'front-in',
  holderId,
});

t.test('the page of the cloud', { skip: SKIP_WITHOUT_CHROMIUM }, async (t) => {
  const connections = await migrated(await openPglite(t));
  const { database, tenant } = await cloudSite(connections, [FRONT.publicKey, BACK.publicKey]);
  const keys = await mkdtemp(join(tmpdir(), 'sparc-cloud-keys-'));
  t.teardown(() => rm(keys, { recursive: true, force: true }));
  const api = await CloudApi.build(t, { database, clock: systemClock, keys });
  await api.user(tenant, 'ada', 'administrator');
  await api.user(tenant, 'vera', 'viewer');
  const { accessToken } = (await api.login('ada')).body;
  t.equal((await api.call('POST', '/api/v1/sites', { id: 'harbour', name: 'Harbour' }, accessToken)).status, 201);
  const deps = { database, crypto: nodeCrypto, months: new Months(database) };
  const carrier = { tenant, site: 'harbour', gateway: toHex(FRONT.publicKey) };
  const logs = new Map<TestChain, LogCommit[]>();
  /** A gateway recorded more, and it arrives in the cloud. */
  const arrive = async (chain: TestChain, commit: LogCommit) => {
    const commits = [...(logs.get(chain) ?? []), commit];
    logs.set(chain, commits);
    const batch = batchesOf(commits).at(-1);
    t.equal(batch && (await takeBatch(deps, carrier, batch)).kind, 'stored');
  };
  const [front, back] = [new TestChain(FRONT), new TestChain(BACK)];
  await arrive(front, front.open(1, [started('gate 0'), loaded('2-00112233aabbccdd'), granted('ada.almeida')]));
  await arrive(back, back.open(1, [started('gate 1'), loaded('1-00112233aabbccdd')]));

  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const browser = await launchBrowser();
  t.teardown(() => browser.close());

  const open = async (width = 1366, height = 900) => {
    const context = await browser.newContext({ viewport: { width, height } });
    t.teardown(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    return { page, complaints };
  };
  const logIn = async (page: Page, name = 'ada', password = PASSWORD) => {
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  };

  await t.test('lets in who has the password, and says of each gateway what it has applied', async (t) => {
    const { page, complaints } = await open();
    await logIn(page, 'ada', 'wrong horse battery');
    await page.getByRole('alert').getByText('ERR_API_LOGIN_REFUSED').waitFor();
    await logIn(page);
    await page.getByRole('heading', { name: 'Harbour' }).waitFor();
    const row = (name: string) => page.getByRole('row', { name });
    await row('gate 0').getByText('revision 2').waitFor();
    await says(row('gate 1'), /revision 1/);
    t.equal(await row('gate 1').locator('[data-level=warn]', { hasText: 'revision 1' }).count(), 1);
    await page.getByRole('heading', { name: 'No gateway reaches the cloud. Doors go on by themselves.' }).waitFor();

    const refused = { code: 'ERR_LINK_TOPIC_FOREIGN', count: 3, lastUnixMs: Date.now() };
    await keepRefusal(database, carrier, refused);
    await page.reload();
    await row('gate 0').locator('[data-level=bad]', { hasText: 'spoke or listened for others, 3 times' }).waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    t.equal(await row('gate 0').count(), 0, 'nothing is left of who was logged in');
    t.strictSame(complaints, []);
  });

  await t.test('shows events as they arrive, each once, in the order in which they happened', async (t) => {
    const { page, complaints } = await open();
    await logIn(page);
    await page.getByRole('link', { name: 'Events' }).click();
    const titles = () => page.locator('#event-list .event-title').allTextContents();
    await page.locator('.event', { hasText: 'ada.almeida' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await arrive(back, back.add(granted('chiara.costa')));
    await arrive(front, front.add(granted('bruno.berg')));
    await page.locator('.event', { hasText: 'bruno.berg' }).waitFor();
    await page.locator('.event', { hasText: 'chiara.costa' }).waitFor();
    const live = (await titles()).filter((title) => title.startsWith('Granted'));
    t.strictSame([...live].sort(), ['Granted ada.almeida', 'Granted bruno.berg', 'Granted chiara.costa'], 'each once');
    await page.reload();
    await page.locator('.event', { hasText: 'chiara.costa' }).waitFor();
    t.strictSame(
      (await titles()).filter((title) => title.startsWith('Granted')),
      live,
      'read back as they came',
    );
    t.strictSame(complaints, []);
  });

  await t.test('tells apart what is saved, published and applied', async (t) => {
    const { page, complaints } = await open();
    await logIn(page);
    await page.getByRole('link', { name: 'Policy' }).click();
    const imported = await fetch(`${url}/api/v1/sites/harbour/policy/site-file`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(demoSiteOf('harbour')),
    });
    t.equal(imported.status, 200, await imported.text());
    await page.reload();
    await page
      .getByRole('heading', { name: /changes are saved and not published: no gateway knows of them/ })
      .waitFor();
    const publish = async () => {
      await page.getByRole('button', { name: 'Publish…', exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Publish' }).click();
    };
    await publish();
    await page.getByRole('heading', { name: 'Everything that is saved is published.' }).waitFor();
    const revision = (number: number) => page.locator('.revision', { hasText: `Revision ${number} ` });
    await revision(1).getByText('Applied by gate 1.').waitFor();

    await page.getByRole('link', { name: 'People' }).click();
    await page.getByRole('button', { name: 'Add a person…' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name', { exact: true }).fill('Vera Visconti');
    await form.getByLabel('Facility code').fill('42');
    await form.getByLabel('Number of the card').fill('4711');
    await form.getByRole('checkbox', { name: 'Around the clock' }).check();
    await form.getByRole('button', { name: 'Save' }).click();
    const vera = page.locator('.person', { hasText: 'vera.visconti' });
    await vera.locator('summary').click();
    await vera.getByText('card-vera.visconti').waitFor();
    t.notMatch(await page.locator('body').textContent(), /4711/, 'a number of a card is never shown');
    await says(page.locator('#draft-count'), /^2$/);

    await page.getByRole('link', { name: 'Policy' }).click();
    await page.locator('.change', { hasText: 'Person Vera Visconti' }).waitFor();
    await publish();
    await revision(2).getByText('Applied by gate 0; not yet by gate 1.').waitFor();
    await arrive(back, back.add(loaded('2-00112233aabbccdd')));
    await revision(2).getByText('Applied by gate 0, gate 1.').waitFor();

    await page.getByRole('button', { name: 'Go back to this: revision 1' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Publish' }).click();
    await revision(3).getByText('the same as revision 1').waitFor();
    await revision(3).getByText('Published; applied by no gateway yet.').waitFor();
    t.strictSame(complaints, []);
  });

  await t.test('says how the cloud is let direct, and an administrator does it there', async (t) => {
    const vera = (await open()).page;
    await logIn(vera, 'vera');
    await vera.getByRole('link', { name: 'Site' }).click();
    await vera.getByText('The cloud directs nothing at this site: nobody has let it.').waitFor();
    const command = (await vera.locator('#operator-words code').textContent()) ?? '';
    const [, to = '', text = ''] = /^curl -X PUT (\S+) .* -d '(.*)'$/.exec(command) ?? [];
    t.equal(to, `${url}/api/v1/sites/harbour/cloud-operator`);
    const put = await api.call('PUT', new URL(to).pathname, JSON.parse(text) as object, accessToken);
    t.equal(put.status, 204, 'the command does it as it stands there');
    await api.call('DELETE', new URL(to).pathname, undefined, accessToken);
    for (const name of ['Lock down…', 'Let the cloud direct…', 'End all']) {
      t.equal(await vera.getByRole('button', { name }).count(), 0, `a viewer has no: ${name}`);
    }

    const { page, complaints } = await open();
    await logIn(page);
    await page.getByRole('link', { name: 'Site' }).click();
    await page.getByText('nobody has let it').waitFor();
    t.equal(await page.getByRole('button', { name: 'Lock down…' }).count(), 0);
    await page.getByRole('button', { name: 'Let the cloud direct…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Let the cloud direct' }).click();
    await page
      .getByText(
        'On behalf of its operators the cloud may lock down and release and order doors and forgive for the whole site',
      )
      .waitFor();
    t.notOk(await page.getByRole('button', { name: 'Lock down…' }).isDisabled());
    t.ok(await page.getByRole('button', { name: 'Let a visitor in…' }).isDisabled(), 'that was not given');
    t.strictSame(complaints, []);
  });

  await t.test('locks down, tells who has applied it and who has not, and releases what stands', async (t) => {
    const { page, complaints } = await open();
    await logIn(page);
    await page.getByRole('link', { name: 'Site' }).click();
    await page.getByRole('heading', { name: 'Nothing is ordered for the site' }).waitFor();
    const awaited = page.locator('#awaited');
    const lockDown = async () => {
      await page.getByRole('button', { name: 'Lock down…' }).click();
      await page.getByRole('checkbox', { name: 'Server room' }).waitFor();
      await page.getByRole('dialog').getByRole('button', { name: 'Lock down' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    const given = () => {
      const signed = api.directed.at(-1);
      if (signed === undefined) throw new Error('nothing was directed');
      return { signed, directive: openDirective(nodeCrypto.verify, signed) };
    };
    api.directedAnswer = { outcome: 'refused', code: 'ERR_DIRECTIVE_TOO_FAST' };
    await lockDown();
    await page.getByRole('alert').getByText('ERR_DIRECTIVE_TOO_FAST').waitFor();
    await says(page.getByRole('alert'), /gives more directives than a gateway takes.*What to do/);
    t.notOk(await awaited.isVisible());
    api.directedAnswer = { outcome: 'unheard' };
    await lockDown();
    await awaited.getByText('No gateway answered within ten seconds.').waitFor();

    api.directedAnswer = { outcome: 'applied' };
    await lockDown();
    await awaited.getByText('It is given.').waitFor();
    const { signed, directive } = given();
    t.match(directive, { kind: 'raise', what: 'lockdown', site: 'harbour', onBehalfOf: 'ada' });
    const detail = { directive: directive.id, kind: 'raise', operator: signed.operator, onBehalfOf: 'ada' };
    const raised = { by: 'cloud', raise: directive.id, directive: directive.id };
    await arrive(front, front.add({ name: 'directive.given', directive: encodeSignedDirective(signed), detail }));
    await arrive(front, front.add({ name: 'site.lockdown', detail: raised }));
    await awaited.getByText('Applied on 1 of 2').waitFor();
    await says(
      awaited,
      /Lockdown.*cloud for ada, at gate 0.*Applied on.*gate 0 \d+ .* ago.*Not heard yet by.*gate 1 \(out of reach\) for \d+ /,
    );
    await page.getByRole('heading', { name: 'The site is locked down' }).waitFor();
    await says(page.locator('#site-raises'), /cloud for ada, for .*; at gate 0, not at gate 1/);
    await says(page.locator('#site-unheard'), /Not heard: gate 0 \(never\) and gate 1 \(never\)/);
    await arrive(back, back.add({ name: 'site.lockdown', detail: raised }));
    await awaited.getByText('Applied on all 2').waitFor();
    await page.getByText('; at all gateways').waitFor();

    const panic = '0b'.repeat(16);
    await arrive(back, back.add({ name: 'site.lockdown', detail: { by: 'panic', raise: panic } }));
    await page.getByText('panic at gate 1').waitFor();
    await page.getByRole('button', { name: 'End all' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await eventually('the release is given', () => given().directive.kind === 'release');
    const release = given().directive;
    t.match(release, { kind: 'release', raises: [directive.id, panic] }, 'what a button at a door raised as well');
    for (const chain of [front, back]) {
      const ended = { by: 'cloud', raises: `${directive.id} ${panic}`, directive: release.id };
      await arrive(chain, chain.add({ name: 'site.lockdown_ended', detail: ended }));
    }
    await page.getByRole('heading', { name: 'Nothing is ordered for the site' }).waitFor();
    await awaited.getByRole('button', { name: 'Done' }).click();
    t.notOk(await awaited.isVisible());
    t.strictSame(complaints, []);
  });

  await t.test('revokes on the card of a person, and tells who has applied it', async (t) => {
    const { page, complaints } = await open();
    await logIn(page);
    await page.getByRole('link', { name: 'People' }).click();
    const vera = page.locator('.person', { hasText: 'vera.visconti' });
    await page.getByRole('searchbox', { name: 'Search people' }).fill('vera');
    await vera.locator('summary').click();
    await vera.getByRole('button', { name: 'Revoke card-vera.visconti…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    const awaited = page.locator('#awaited');
    await awaited.getByText('Applied on 0 of 2').waitFor();
    await says(awaited, /Revocation of credential card-vera\.visconti.*site authority for ada, \d+ .* ago/);
    await vera.locator('.badge', { hasText: 'blocked' }).waitFor();
    const directive = await awaited.locator('.site-answer').getAttribute('data-directive');
    const unlisted = { number: '1', directive: directive ?? '', unlisted: 'true' };
    await arrive(front, front.add({ name: 'revocation.applied', detail: unlisted }));
    await awaited.getByText('Applied on 1 of 2').waitFor();
    await awaited.getByText('Known to nobody there: revoked, should it come later').waitFor();
    await arrive(back, back.add({ name: 'revocation.applied', detail: { number: '1', directive: directive ?? '' } }));
    await awaited.getByText('Applied on all 2').waitFor();
    t.equal(await awaited.getByText('Known to nobody there').count(), 0, 'somebody has it');
    await page.getByRole('link', { name: 'Gateways' }).click();
    t.ok(await awaited.isVisible(), 'whichever view is shown');
    await page.getByRole('button', { name: 'Log out' }).click();
    t.notOk(await awaited.isVisible());
    t.strictSame(complaints, []);
  });

  await t.test('makes a claim code that is shown once, and puts a gateway out when that is confirmed', async (t) => {
    const { page, complaints } = await open();
    await logIn(page);
    await page.getByRole('button', { name: 'Add a gateway…' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('yard');
    await page.getByRole('dialog').getByRole('button', { name: 'Make a code' }).click();
    await page.locator('#claim-command', { hasText: /^sparc gateway claim https:\S+ [0-9A-Z-]{29}$/ }).waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    t.equal(await page.locator('#claim-command').textContent(), '');

    const hall = new NewGateway(join(keys, 'hall'), 'hall');
    const request = Buffer.from(hall.request()).toString('base64');
    const admitted = await api.call('POST', '/api/v1/sites/harbour/admissions', { request }, accessToken);
    t.equal(admitted.status, 201);
    await page.reload();
    await page.getByRole('row', { name: 'hall' }).getByText('not in touch').waitFor();
    const expel = async (isSure: boolean) => {
      await page.getByRole('button', { name: 'Expel a gateway…' }).click();
      await page.getByRole('dialog').getByLabel('Gateway').selectOption('hall');
      if (isSure) await page.getByRole('checkbox', { name: 'It is out for good' }).check();
      await page.getByRole('dialog').getByRole('button', { name: 'Expel it' }).click();
    };
    await expel(false);
    t.equal(await page.getByRole('row', { name: 'hall' }).count(), 1, 'nothing happens that is not confirmed');
    await expel(true);
    await page.getByText('No longer of this site: hall (expelled).').waitFor();
    t.strictSame(complaints, []);
  });

  await t.test('says that the authority of a restored site waits, and lets a person end that', async (t) => {
    await connections.use(({ client }) => client.query('update sparc.incarnation set id = gen_random_uuid()'));
    const { page, complaints } = await open();
    await logIn(page);
    await page.getByText('The authority of this site signs nothing.').waitFor();
    await page.getByRole('button', { name: 'Sign without waiting for gateways…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Sign again' }).click();
    await page.getByText('The authority of this site signs nothing.').waitFor({ state: 'hidden' });
    const rotated = await api.call('POST', '/api/v1/sites/harbour/site-secret', undefined, accessToken);
    t.equal(rotated.status, 204);
    t.strictSame(complaints, []);
  });

  await t.test('fits a phone, with targets for a finger, and goes by keyboard alone', async (t) => {
    const { page } = await open(360, 740);
    await page.getByLabel('Name', { exact: true }).focus();
    await page.keyboard.type('vera');
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('row', { name: 'gate 0' }).waitFor();
    for (const view of ['Gateways', 'Site', 'People', 'Policy', 'Events']) {
      await page.getByRole('link', { name: view }).focus();
      await page.keyboard.press('Enter');
      await page.locator('.tabs [aria-current]', { hasText: view }).waitFor();
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, view);
      for (const target of await page.locator('button:visible, .tabs a:visible').all()) {
        t.ok(((await target.boundingBox())?.height ?? 0) >= 44, `${view}: ${await target.textContent()}`);
      }
    }
    t.equal(await page.locator('button:visible', { hasText: 'Publish' }).count(), 0, 'a viewer is offered no changes');
  });
});
