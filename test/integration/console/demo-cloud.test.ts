import type { Page } from 'playwright-core';
import t from 'tap';
import { launchBrowser, says, untilSeen, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { startDemo } from '../../support/demo.js';
import { eventually } from '../../support/peers.js';

/** For a machine that has other things to do as well. */
const HEARD_MAX_MS = 60_000;
/** Shown in a row of their own, and by whatever a person does at a door. */
const AT_DOORS = ['exit.released', 'access.granted', 'access.denied', 'door.opened', 'door.closed'];

interface Recorded {
  readonly cursor: string;
  readonly name: string;
  readonly doorId?: string;
}

t.test('the cloud of the demo, in a browser', { skip: SKIP_WITHOUT_CHROMIUM }, async (t) => {
  const demo = await startDemo(t);
  const { url, name, password } = await demo.cloud();
  const browser = await launchBrowser();
  t.teardown(() => browser.close());
  const complaints: string[] = [];
  const open = async (to: string) => {
    const page = await browser.newPage({ viewport: { width: 1366, height: 900 } });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(to);
    return page;
  };
  const [gateway, cloud] = [await open(demo.pages.reception), await open(url)];
  await cloud.getByLabel('Name', { exact: true }).fill(name);
  await cloud.getByLabel('Password').fill(password);
  await cloud.getByRole('button', { name: 'Log in' }).click();
  await cloud.getByRole('heading', { name: 'All 3 gateways applied revision 1.' }).waitFor({ timeout: HEARD_MAX_MS });

  const show = (page: Page, view: string) => page.locator('.tabs a', { hasText: view }).click();
  const pull = async (what: 'Cut' | 'Mend') => {
    await show(gateway, 'Mesh');
    await gateway.getByRole('button', { name: `${what} All gateways – Cloud` }).click();
    const isDone = gateway.getByRole('button', { name: `${what === 'Cut' ? 'Mend' : 'Cut'} All gateways – Cloud` });
    await isDone.waitFor();
  };
  const order = async (button: string, go: string) => {
    await show(cloud, 'Site');
    await cloud.getByRole('button', { name: button, exact: true }).click();
    await cloud.getByRole('dialog').getByRole('button', { name: go }).click();
    await cloud.getByRole('dialog').waitFor({ state: 'detached' });
  };
  const awaited = (words: string) =>
    cloud.locator('#awaited').getByText(words, { exact: true }).waitFor({ timeout: HEARD_MAX_MS });
  const headline = (words: string) =>
    cloud.getByRole('heading', { name: words, exact: true }).waitFor({ timeout: HEARD_MAX_MS });

  await t.test('with its cable cut doors go on, and afterwards every event is there once and in order', async (t) => {
    const door = gateway.getByRole('article', { name: 'Garden gate' });
    /** What the gateway has in its own ledger of its doors, oldest first. */
    const recorded = async () => {
      const answer = await fetch(`${demo.pages.reception}api/events?limit=200`);
      const { events } = (await answer.json()) as { readonly events: readonly Recorded[] };
      return events.filter(({ name, doorId }) => doorId === 'garden' && AT_DOORS.includes(name));
    };
    const leave = async () => {
      const before = (await recorded()).length;
      await untilSeen(
        async () => {
          await door.getByRole('button', { name: 'Exit button' }).click();
          // A page that was held up may not have shown it before it was locked again.
          const released = door.locator('.lock', { hasText: 'Released' });
          const isReleased = await released.waitFor({ timeout: 10_000 }).then(
            () => true,
            () => false,
          );
          if (isReleased) await door.getByRole('button', { name: 'Open', exact: true }).click();
        },
        door.locator('.contact', { hasText: 'Open' }),
      );
      await door.getByRole('button', { name: 'Close', exact: true }).click();
      await door.locator('.lock', { hasText: 'Locked' }).waitFor();
      await eventually('exit, open and closed are on record', async () => (await recorded()).length >= before + 3);
    };
    await door.getByText('Secure').first().waitFor();
    await leave();
    await show(cloud, 'Events');
    const rows = async () => {
      const titles = await cloud.locator('#event-list .event time').evaluateAll(TITLES);
      const named = titles.map((title) => / entry ([0-9a-f]{64}) (\d+\.\d+), ([\w.]+)$/.exec(title));
      return named.map((match) => ({ gateway: match?.[1], cursor: match?.[2] ?? '', name: match?.[3] })).reverse();
    };
    const isShown = async ({ cursor, name }: Recorded) =>
      (await rows()).some((row) => row.cursor === cursor && row.name === name);
    const areShown = async () => (await Promise.all((await recorded()).map(isShown))).every(Boolean);
    await eventually('what was done with the cable whole is there', areShown, HEARD_MAX_MS);

    await pull('Cut');
    await show(gateway, 'Doors');
    const knownCount = (await recorded()).length;
    await leave();
    await leave();
    const missing = (await recorded()).slice(knownCount);
    t.ok(missing.length >= 6, `${missing.length} events that the cloud has to hear of later`);
    t.strictSame((await Promise.all(missing.map(isShown))).filter(Boolean), [], 'it has heard of none of them');

    await order('Let the cloud direct…', 'Let the cloud direct');
    await cloud.getByText('On behalf of its operators the cloud may').waitFor();
    await order('Lock down…', 'Lock down');
    await cloud
      .getByText('No gateway answered within ten seconds. Should one have taken it all the same, that is shown here.')
      .waitFor({ timeout: HEARD_MAX_MS });

    await pull('Mend');
    await show(cloud, 'Events');
    await eventually('all of it is there', areShown, HEARD_MAX_MS);
    await cloud.reload();
    await eventually('and read back from the database', areShown, HEARD_MAX_MS);
    const all = await rows();
    const names = all.map(({ gateway: of, cursor }) => `${of} ${cursor}`);
    t.equal(new Set(names).size, names.length, 'each once');
    const ofDoor = all.filter(({ name, cursor }) => AT_DOORS.includes(name ?? '') && cursor !== '');
    const expected = (await recorded()).map(({ cursor, name }) => `${cursor} ${name}`);
    const inOrder = ofDoor.map(({ cursor, name }) => `${cursor} ${name}`).filter((each) => expected.includes(each));
    t.strictSame(inOrder, expected, 'in the order in which they happened');
    await show(cloud, 'Site');
    await headline('Nothing is ordered for the site');
    t.strictSame(complaints, []);
  });

  await t.test('it locks down all three gateways, opens a door, and ends what stands', async (t) => {
    await cloud.getByText('On behalf of its operators the cloud may').waitFor();
    const answered = cloud.waitForResponse(/\/orders$/);
    await order('Lock down…', 'Lock down');
    t.match(await (await answered).json(), { outcome: 'applied' }, 'by the word of a gateway');
    await awaited('Applied on all 3');
    await headline('The site is locked down');
    await cloud.getByText(`cloud for ${name}`).first().waitFor();
    await cloud.getByText('; at all gateways').waitFor();
    await show(gateway, 'Site');
    await gateway.getByRole('heading', { name: 'The site is locked down' }).waitFor();
    await says(gateway.locator('#site-answers li').first(), new RegExp(`^Lockdown.*cloud for ${name}`));

    await cloud.getByRole('button', { name: 'End: Lockdown' }).click();
    await cloud.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
    await headline('Nothing is ordered for the site');
    await awaited('Applied on all 3');

    await cloud.getByRole('button', { name: 'Door…' }).click();
    await cloud.getByRole('dialog').getByLabel('Door').selectOption({ label: 'Warehouse' });
    await cloud.getByRole('dialog').getByRole('button', { name: 'Do it' }).click();
    await awaited('Carried out');
    await says(cloud.locator('#awaited'), /Warehouse: let one person through.*Applied on.*Warehouse/);
    t.strictSame(complaints, []);
  });

  t.equal(await demo.stop(), 0);
});

/** Runs in the browser. */
const TITLES = (elements: { readonly title?: string }[]) => elements.map(({ title = '' }) => title);
