import t from 'tap';
import { MESH_OFF } from '@sparc/edge/api';
import { launchBrowser, says, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { changed, headOf, keyOf, meshOf, openMeshPage } from '../../support/mesh-page.js';

const MINUTE_MS = 60_000;

t.test('the mesh view', { skip: SKIP_WITHOUT_CHROMIUM }, async (t) => {
  const browser = await launchBrowser();
  t.teardown(() => browser.close());

  t.test('says that all hear each other, and of each how far its ledger is here', async (t) => {
    const mesh = meshOf('hallway', 'gate', 'cellar');
    const behind = mesh.logs.map((log) => (log.name === 'gate' ? { ...log, behindCount: 5 } : log));
    const view = changed({ ...mesh, logs: behind }, { cellar: { ownMissingCount: 2 } });
    const { page, complaints } = await openMeshPage(t, browser, view);
    await page.getByRole('heading', { name: 'All 3 gateways hear each other.' }).waitFor();
    const card = (name: string) => page.getByRole('article', { name });
    await says(card('hallway'), /This gateway.*Hears.*all others.*Ledger.*up to 3\.10/);
    await says(card('gate'), /Heard for 3 min.*0\.4 ms.*up to 3\.11, 5 entries behind.*has.*all/);
    await says(card('cellar'), /Of ours it has.*all but 2 entries/);
    await says(page.locator('#mesh-facts'), /whole on 2 other gateways.*number 4, signed 1 min ago/);
    t.equal(await page.locator('.mesh-link[data-state=heard]').count(), 3);
    t.equal(await page.locator('.mesh-link').count(), 3);
    t.notOk(await page.locator('#mesh-heard').isVisible(), 'nothing is missing');
    t.notOk(await page.getByRole('heading', { name: 'Expelled' }).isVisible());
    t.strictSame(complaints, []);
  });

  t.test('follows live: a gateway falls away, is a problem on the first view too, and comes back', async (t) => {
    const whole = meshOf('hallway', 'gate', 'cellar');
    const [hallway, gate, cellar] = [keyOf(1), keyOf(2), keyOf(3)];
    const { page, show, complaints } = await openMeshPage(t, browser, whole);
    await page.getByRole('heading', { name: 'All 3 gateways hear each other.' }).waitFor();
    const [first, second, { hereSinceUnixMs: _, hears: _hears, ...third }] = whole.members as [
      (typeof whole.members)[0],
      (typeof whole.members)[0],
      (typeof whole.members)[0],
    ];
    show({
      ...whole,
      members: [
        { ...first, hears: [gate] },
        { ...second, hears: [hallway] },
        { ...third, awaySinceUnixMs: Date.now() - 2 * MINUTE_MS },
      ],
      partitions: [[hallway, gate], [cellar]],
      own: { replicasCount: 1, unreplicatedCount: 0 },
    });
    await page.getByRole('heading', { name: 'cellar is not heard.' }).waitFor();
    await says(page.getByRole('article', { name: 'cellar' }), /Not heard for 2 min/);
    t.equal(await page.locator('.mesh-link[data-state=cut]').count(), 2);
    t.equal(await page.locator('.mesh-node[data-standing=apart]').count(), 1);
    await says(page.locator('#mesh-heard'), /^2\/3$/);
    await page.getByRole('link', { name: 'Doors', exact: true }).click();
    await page.getByText('cellar: no gateway that is in reach hears it').waitFor();
    show(whole);
    await page.getByText('cellar: no gateway that is in reach hears it').waitFor({ state: 'detached' });
    t.notOk(await page.locator('#mesh-heard').isVisible());
    t.strictSame(complaints, []);
  });

  t.test('tells a link that is down from a gateway that is', async (t) => {
    const [hallway, gate, cellar] = [keyOf(1), keyOf(2), keyOf(3)];
    const whole = meshOf('hallway', 'gate', 'cellar');
    const members = whole.members.map((member) => {
      if (member.name === 'cellar') return { ...member, hears: [hallway], awaySinceUnixMs: 1 };
      return member.name === 'gate' ? { ...member, hears: [hallway], awaySinceUnixMs: 1 } : member;
    });
    const { page } = await openMeshPage(t, browser, { ...whole, members, partitions: [[hallway, gate, cellar]] });
    await page.getByRole('heading', { name: 'All gateways are in reach, but 1 link is down.' }).waitFor();
    t.equal(await page.locator('.mesh-link[data-state=cut]').count(), 1);
    t.equal(
      await page.locator('.mesh-link[data-state=cut] title').textContent(),
      'gate and cellar do not hear each other',
    );
    await says(page.getByRole('article', { name: 'gate' }), /Heard for.*Hears.*hallway(?! and)/);
    await page.getByRole('region', { name: 'Problems' }).getByText('gate and cellar do not hear each other').waitFor();
  });

  t.test('shows what is here only, forks, expelled gateways, operators and the policy', async (t) => {
    const nowMs = Date.now();
    const [gate, thief] = [keyOf(2), keyOf(9)];
    const { page, complaints } = await openMeshPage(t, browser, {
      ...meshOf('hallway', 'gate'),
      own: { replicasCount: 0, unreplicatedCount: 3, unreplicatedSinceUnixMs: nowMs - 5 * MINUTE_MS },
      logs: [{ author: keyOf(7), name: 'site authority', heads: [headOf(keyOf(7), 4)], behindCount: 2, full: 'disk' }],
      forks: [{ kind: 'setBack', first: headOf(gate, 3), second: headOf(gate, 4) }],
      expelled: [{ key: thief, name: 'barn', heads: [headOf(thief, 41)] }],
      operators: [
        { key: keyOf(8), name: 'Ada Lovelace', rights: ['revoke'], scope: [], untilUnixMs: nowMs + MINUTE_MS },
      ],
      policy: {
        inForce: { number: 11, issuedUnixMs: nowMs - 9 * MINUTE_MS },
        newest: { number: 12, issuedUnixMs: nowMs, knownSinceUnixMs: nowMs - MINUTE_MS },
        partsMissingCount: 4,
      },
    });
    const facts = page.locator('#mesh-facts');
    await facts.getByText('3 entries are on this gateway only, the oldest for 5 min').waitFor();
    await says(facts, /revision 11 in force, signed 9 min ago; revision 12 comes, 4 parts missing/);
    const region = (name: string) => page.getByRole('region', { name });
    await says(region('Two histories'), /gate Its disk was set back/);
    await says(region('Expelled'), new RegExp(`barn${thief}.*up to 3\\.41`));
    await says(region('Operators'), /Ada Lovelace revoke, until/);
    await says(
      region('Other ledgers here'),
      /site authority up to 3\.4, 2 entries behind; no more is taken: the disk is nearly full/,
    );
    await region('Problems').getByText('Events are on this gateway only').waitFor();
    t.strictSame(complaints, []);
  });

  t.test('says why a mesh does not run, and is not offered where there is none', async (t) => {
    const trouble = { code: 'ERR_MESH_START_FAILED', message: 'port 7400 is taken' };
    const { page, show } = await openMeshPage(t, browser, { ...MESH_OFF, state: 'failed', trouble });
    await page.getByRole('heading', { name: 'The mesh does not run; it is tried again.' }).waitFor();
    await says(page.locator('#mesh-trouble'), /port 7400 is taken.*What to do: Correct `mesh\.listen`/);
    await page.getByRole('link', { name: 'Doors', exact: true }).click();
    show(MESH_OFF);
    await page.locator('#tab-mesh').waitFor({ state: 'hidden' });
    t.pass();
  });

  t.test('shows names as text, whatever they contain', async (t) => {
    const hostile = '<img src=x onerror="document.title=1"><b>bold</b>';
    const { page, complaints } = await openMeshPage(t, browser, meshOf('hallway', hostile));
    await page.getByRole('heading', { name: hostile }).waitFor();
    t.equal(await page.locator('img').count(), 0);
    t.strictSame(complaints, []);
  });

  t.test('fits a phone with as many gateways as a full mesh has', async (t) => {
    const names = Array.from({ length: 16 }, (_, at) => `building-${at + 1}-of-a-long-name`);
    const { page } = await openMeshPage(t, browser, meshOf(...names), { width: 360, height: 740 });
    t.equal(await page.getByRole('region', { name: 'Problems' }).count(), 0, 'those of doors are shown with the doors');
    await page.getByRole('heading', { name: 'All 16 gateways hear each other.' }).waitFor();
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
    t.equal(await page.locator('.mesh-link').count(), 120);
    t.equal(await page.locator('.mesh-node text').nth(15).textContent(), '16', 'the drawing numbers them');
    await page.getByRole('heading', { name: `16 ${names[15]}` }).waitFor();
    for (const tab of await page.locator('.tabs a:visible').all()) t.ok(((await tab.boundingBox())?.height ?? 0) >= 44);
  });

  t.test('keeps a key marked while the view beside it changes', async (t) => {
    const view = meshOf('hallway', 'gate');
    const { page, show } = await openMeshPage(t, browser, view);
    const key = page.getByRole('article', { name: 'gate' }).locator('code');
    await key.evaluate((element) => element.ownerDocument.getSelection()?.selectAllChildren(element));
    show(changed(view, { gate: { roundTripMs: 12.3 } }));
    await page.getByText('12 ms').waitFor();
    t.equal(await page.evaluate('window.getSelection().toString()'), keyOf(2));
  });
});
