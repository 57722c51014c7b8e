import t from 'tap';
import type { Browser, Page } from 'playwright-core';
import type { FieldAnswer, MeshView } from '@sparc/edge/api';
import { verifySignature } from '@sparc/edge/platform';
import type { DeliveryView, DirectiveView, GatewayDelivery } from '@sparc/protocol/delivery';
import { openDirective, type Directive, type SignedDirective } from '@sparc/protocol/directive';
import { launchBrowser, says, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { keyOf, meshOf, openPage, type ShownSite } from '../../support/mesh-page.js';
import { eventually } from '../../support/peers.js';
import { siteSnapshot } from '../../support/site-fixture.js';

const MINUTE_MS = 60_000;
const RIGHTS = ['mode', 'revoke', 'grant', 'order', 'expel'];
const [HALLWAY, GATE, CELLAR] = [keyOf(1), keyOf(2), keyOf(3)];
const LOCKDOWN_ID = '0a'.repeat(16);

const PLACES = {
  doors: [{ id: 'vault', name: 'Vault' }],
  areas: [{ id: 'lab', name: 'Laboratory' }],
  profiles: [{ id: 'guests', name: 'Guests' }],
  cardFormats: ['h10301'],
  buses: ['bus-a', 'bus-b'],
};

const gateway = (key: string, name: string, more: Partial<GatewayDelivery> = {}): GatewayDelivery => ({
  key,
  name,
  isSelf: key === HALLWAY,
  isReached: true,
  newest: { cursor: '3.7', atUnixMs: Date.now() - 5_000 },
  startedUnixMs: 1,
  buses: [],
  policy: { revision: '12-00112233aabbccdd', number: 12, sinceUnixMs: Date.now() - 9 * MINUTE_MS },
  revocation: { number: 7, sinceUnixMs: Date.now() - MINUTE_MS },
  directives: { appliedCount: 1, refusedCount: 0, unheardCount: 0 },
  clock: { quality: 'synced' },
  ...more,
});

const lockdown = (gateways: DirectiveView['gateways']): DirectiveView => ({
  id: LOCKDOWN_ID,
  kind: 'raise',
  detail: { what: 'lockdown', scope: 'lab' },
  operator: { key: keyOf(8), name: 'Ada' },
  issuedUnixMs: Date.now(),
  given: { gateway: HALLWAY, name: 'hallway', cursor: '3.7', atUnixMs: Date.now() },
  answeredBy: 'all',
  gateways,
});

const shown = (directives: DeliveryView['directives'] = []): ShownSite & { readonly delivery: DeliveryView } => ({
  mesh: meshOf('hallway', 'gate', 'cellar'),
  places: PLACES,
  delivery: {
    isComplete: true,
    gateways: [
      gateway(HALLWAY, 'hallway', { buses: ['bus-a'] }),
      gateway(GATE, 'gate', { buses: ['bus-b'] }),
      gateway(CELLAR, 'cellar'),
    ],
    directives,
  },
});

const raised = (...raises: ReturnType<typeof siteSnapshot>['mode']['raises']) => ({
  ...siteSnapshot(),
  mode: { ...siteSnapshot().mode, lockdown: raises.length > 0, raises },
});

/** A field that takes what its operator signed, as the desk of directives does, and keeps it for the test to look at. */
function fieldThatTakes(taken: { readonly directive: Directive; readonly operator: string }[]) {
  return (action: unknown): FieldAnswer => {
    const signed = (action as { readonly directive: SignedDirective }).directive;
    const directive = openDirective(verifySignature, signed);
    taken.push({ directive, operator: signed.operator });
    return { ok: true, value: { kind: 'directed', receipt: { id: directive.id, outcome: 'applied' } } };
  };
}

/** Presses the button that makes the key, and resolves with its public half. */
async function makeKey(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Make a key in this browser' }).click();
  const code = page.locator('#site-key code').first();
  await code.waitFor();
  const [key] = /[0-9a-f]{64}/.exec((await code.textContent()) ?? '') ?? [];
  if (key === undefined) throw new Error('no key is shown');
  return key;
}

const delegated = (mesh: MeshView, key: string, rights: readonly string[] = RIGHTS, scope: readonly string[] = []) => ({
  ...mesh,
  operators: [{ key, name: 'Ada', rights: [...rights], scope: [...scope], untilUnixMs: Date.now() + 60 * MINUTE_MS }],
});

t.test('the site view', { skip: SKIP_WITHOUT_CHROMIUM }, async (t) => {
  const browser: Browser = await launchBrowser();
  t.teardown(() => browser.close());

  t.test('makes a key that stays in the browser, and signs with it once it has the right', async (t) => {
    const taken: { readonly directive: Directive; readonly operator: string }[] = [];
    const first = shown();
    const { page, show, complaints } = await openPage(t, browser, first, {
      hash: '#site',
      answer: fieldThatTakes(taken),
    });
    const press = (name: string) => page.getByRole('button', { name, exact: true });
    t.ok(await press('Lock down…').isDisabled(), 'without a key');
    const key = await makeKey(page);
    await page.getByText(`sparc authority delegate ${key} --name NAME`).waitFor();
    t.ok(await press('Lock down…').isDisabled(), 'without a right');

    show({ mesh: delegated(first.mesh, key) });
    await page
      .getByText(
        'Ada may lock down and release, revoke, let visitors in, order doors and forgive and expel gateways for the whole site',
      )
      .waitFor();
    await press('Lock down…').click();
    await page.getByRole('checkbox', { name: 'Laboratory' }).check();
    await press('Lock down').click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await eventually('the gateway has it', () => taken.length === 1);
    t.match(taken[0], {
      operator: key,
      directive: { kind: 'raise', what: 'lockdown', scope: ['lab'], site: 'harbour' },
    });

    await page.reload();
    await page.getByText('Ada may lock down').waitFor();
    t.equal(await page.locator('#site-key code').first().textContent(), key, 'the key outlives the page');
    const exported = await page.evaluate(EXPORT_PRIVATE_KEY);
    t.match(exported, /InvalidAccessError/, 'not even the page gets it out');
    t.strictSame(complaints, []);
  });

  t.test('says of a directive who applied it and who has not heard it yet, and fills in live', async (t) => {
    const at = { atUnixMs: Date.now(), cursor: '3.8' };
    const answers = [
      { gateway: HALLWAY, name: 'hallway', isReached: true, state: 'applied', ...at },
      { gateway: GATE, name: 'gate', isReached: true, state: 'unheard' },
      { gateway: CELLAR, name: 'cellar', isReached: false, state: 'unheard' },
    ] as const;
    const first = shown([lockdown([...answers])]);
    const { page, show } = await openPage(t, browser, first, { hash: '#site' });
    const answer = page.locator(`[data-directive="${LOCKDOWN_ID}"]`);
    await answer.getByText('Applied on 1 of 3').waitFor();
    await says(
      answer,
      /Lockdown of Laboratory.*Ada, at hallway.*Applied on.*hallway.*Not heard yet by.*gate.*cellar \(out of reach\)/,
    );
    const directives = [
      lockdown([
        answers[0],
        { ...answers[1], state: 'applied', ...at },
        { ...answers[2], state: 'refused', code: 'ERR_DIRECTIVE_EXPIRED', ...at },
      ]),
    ];
    show({ delivery: { ...first.delivery, directives } });
    await answer.getByText('Refused by 1 of 3').waitFor();
    await says(answer, /Refused by.*cellar.*after its end/);
    t.pass('and why');
  });

  t.test('shows what stands, by whom and since when, and ends it by its name', async (t) => {
    const taken: { readonly directive: Directive; readonly operator: string }[] = [];
    const atUnixMs = Date.now() - 3 * MINUTE_MS;
    const raise = { id: LOCKDOWN_ID, what: 'lockdown', by: 'Grace', atUnixMs, scope: ['lab'] } as const;
    const panic = { id: '0b'.repeat(16), what: 'lockdown', by: 'panic', atUnixMs, gateway: GATE } as const;
    const first = { ...shown(), snapshot: raised(raise, panic) };
    const { page, show } = await openPage(t, browser, first, { hash: '#site', answer: fieldThatTakes(taken) });
    await page.getByRole('heading', { name: 'The site is locked down' }).waitFor();
    await says(
      page.locator('#site-raises'),
      /Lockdown of Laboratory.*Grace, for 3 min.*Lockdown.*panic at gate, for 3 min/,
    );
    await says(page.locator('#site-standing'), /^2$/);
    show({ mesh: delegated(first.mesh, await makeKey(page)) });
    await page.getByRole('button', { name: 'End: Lockdown of Laboratory' }).click();
    await page.getByRole('button', { name: 'End it' }).click();
    await eventually('the gateway has it', () => taken.length === 1);
    t.match(taken[0]?.directive, { kind: 'release', raises: [LOCKDOWN_ID] });
    show({ snapshot: raised() });
    await page.getByRole('heading', { name: 'Nothing is ordered for the site' }).waitFor();
  });

  t.test('every button makes a directive that a gateway takes', async (t) => {
    const taken: { readonly directive: Directive; readonly operator: string }[] = [];
    const first = shown();
    const { page, show, complaints } = await openPage(t, browser, first, {
      hash: '#site',
      answer: fieldThatTakes(taken),
    });
    show({ mesh: delegated(first.mesh, await makeKey(page)) });
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
    const order = async (button: string, fill: () => Promise<unknown>, go: string) => {
      const before = taken.length;
      await press(button);
      await fill();
      await press(go);
      await eventually('the gateway has it', () => taken.length === before + 1);
      return taken[before]?.directive;
    };
    const field = (name: string) => page.getByLabel(name, { exact: true });
    const chosen = (name: string) => page.locator(`dialog select[name=${name}]`);
    t.match(await order('Threat level…', () => field('Level').fill('3'), 'Set it'), {
      kind: 'raise',
      what: 'threat',
      level: 3,
    });
    t.match(await order('Evacuate…', async () => undefined, 'Evacuate'), { kind: 'raise', what: 'evacuation' });
    t.match(await order('Door…', () => chosen('order').selectOption({ label: 'Unlock for 10 minutes' }), 'Do it'), {
      kind: 'door',
      door: 'vault',
      order: { kind: 'door', mode: 'unlocked', forMs: 600_000 },
    });
    t.match(await order('Door…', async () => undefined, 'Do it'), { door: 'vault', order: { kind: 'accessDoor' } });
    t.match(await order('Revoke…', () => page.getByLabel('Id in the policy').fill('card-ada'), 'Revoke'), {
      kind: 'revoke',
      subject: 'credential',
      subjectId: 'card-ada',
    });
    const visitor = async () => {
      await field('Name').fill('Vera');
      await page.getByLabel('Facility code').fill('12');
      await page.getByLabel('Number of the card').fill('4711');
      await page.getByRole('checkbox', { name: 'Guests' }).check();
    };
    t.match(await order('Let a visitor in…', visitor, 'Let them in'), {
      kind: 'visitor',
      visitor: { name: 'Vera', identifier: { format: 'h10301', facility: 12, number: '4711' }, profiles: ['guests'] },
    });
    t.match(await order('Forgive…', () => page.getByLabel('Id of the person').fill('ada'), 'Forgive'), {
      kind: 'forgive',
      holder: 'ada',
    });
    const expelled = await order(
      'Expel a gateway…',
      () => chosen('gateway').selectOption({ label: 'cellar' }),
      'Expel it',
    );
    t.match(expelled, { kind: 'expel', gateway: CELLAR, heads: [/^\{"site":"harbour"/] });
    t.strictSame(complaints, []);
  });

  t.test('offers what the operator may, and says why the gateway refuses', async (t) => {
    const first = shown();
    const { page, show } = await openPage(t, browser, first, {
      hash: '#site',
      answer: () => ({ ok: false, code: 'ERR_DIRECTIVE_NOT_ENTITLED', message: 'not for the lab' }),
    });
    show({ mesh: delegated(first.mesh, await makeKey(page), ['revoke'], ['lab']) });
    await page.getByText('Ada may revoke for Laboratory').waitFor();
    t.ok(await page.getByRole('button', { name: 'Lock down…' }).isDisabled());
    await page.getByRole('button', { name: 'Revoke…' }).click();
    await page.getByLabel('Id in the policy').fill('card-ada');
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByRole('alert').getByText('ERR_DIRECTIVE_NOT_ENTITLED').waitFor();
    await says(page.getByRole('alert').first(), /had no such right.*What to do/);
  });

  t.test('tells how far each gateway is, and of buses that are nowhere or there twice', async (t) => {
    const first = shown();
    const nowMs = Date.now();
    const gateways = [
      gateway(HALLWAY, 'hallway', { buses: ['bus-a'] }),
      gateway(GATE, 'gate', {
        buses: ['bus-a'],
        policy: { revision: '11-00112233aabbccdd', number: 11, sinceUnixMs: nowMs - 9 * MINUTE_MS },
        clock: { quality: 'holdover', errorMs: 1_500, aheadMs: -420 },
        directives: { appliedCount: 0, refusedCount: 1, unheardCount: 2, unheardSinceUnixMs: nowMs - 2 * MINUTE_MS },
      }),
    ];
    const { page } = await openPage(
      t,
      browser,
      { ...first, delivery: { ...first.delivery, gateways } },
      { hash: '#site' },
    );
    const row = page.getByRole('row', { name: /^gate / });
    await row.getByText('revision 11, for 9 min').waitFor();
    await says(
      row,
      /heard.*7, 1 min ago.*0 applied, 1 refused, 2 not answered for 2 min.*holdover, ±1\.5 s, −0\.4 s.*3\.7, \d+ .* ago/,
    );
    const problems = page.getByRole('region', { name: 'Problems' });
    await problems.getByText('Bus bus-a is there twice: at hallway and gate').waitFor();
    await problems.getByText('Bus bus-b is at no gateway').waitFor();
    await problems.getByText('gate has not answered a directive for 2 min').waitFor();
    t.pass();
  });

  t.test('fits a phone, with targets for a finger, and shows names as text', async (t) => {
    const hostile = '<img src=x onerror="document.title=1">';
    const first = shown([lockdown([{ gateway: GATE, name: hostile, isReached: true, state: 'unheard' }])]);
    const gateways = first.delivery.gateways.map((each) => ({ ...each, name: hostile }));
    const { page, complaints } = await openPage(
      t,
      browser,
      { ...first, delivery: { ...first.delivery, gateways } },
      { hash: '#site', viewport: { width: 360, height: 740 } },
    );
    await page.getByRole('button', { name: 'Make a key in this browser' }).waitFor();
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
    for (const button of await page.locator('#site button:visible').all()) {
      t.ok(((await button.boundingBox())?.height ?? 0) >= 44);
    }
    t.equal(await page.locator('img').count(), 0);
    t.strictSame(complaints, []);
  });
});

/** What comes of asking the browser for the private half of the key, by its name. */
const EXPORT_PRIVATE_KEY = `new Promise((resolve) => {
  const opening = indexedDB.open('sparc', 1);
  opening.onsuccess = () => {
    const got = opening.result.transaction('keys').objectStore('keys').get('operator');
    got.onsuccess = () => crypto.subtle.exportKey('pkcs8', got.result.privateKey).then(() => resolve('given out'), (error) => resolve(error.name));
  };
})`;
