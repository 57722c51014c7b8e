import t from 'tap';
import { SparcError } from '@sparc/protocol/errors';
import type { FoundDevice } from '@sparc/edge/commissioning';
import { launchBrowser, says, SKIP_WITHOUT_CHROMIUM } from '../../support/browser.js';
import { bus, deviceHealth, type Wall } from '../../support/commissioning-site.js';
import { commissioningScene } from './commissioning-scene.js';

const READERS = ['front-out-device', 'front-in-device', 'server-out-device'] as const;
const [FRONT, INSIDE, SERVER] = READERS;

/** Two readers in service on bus-a, one without a key on bus-b. */
function wall(more: Partial<Wall> = {}): Wall {
  return {
    inventory: {
      devices: [
        { id: FRONT, bus: 'bus-a', address: 0, key: 'proven' },
        { id: INSIDE, bus: 'bus-a', address: 1, key: 'proven' },
        { id: SERVER, bus: 'bus-b', address: 3, key: 'none' },
      ],
      bundles: [{ id: 'r40-2', name: 'R40 firmware', version: '2.4.1', size: 102_400 }],
      escrow: true,
    },
    buses: [
      bus('bus-a', [deviceHealth(FRONT, 'proven'), deviceHealth(INSIDE, 'proven', { address: 1 })]),
      bus('bus-b', [deviceHealth(SERVER, 'none', { address: 3, link: 'offline', secure: false })]),
    ],
    work: async () => undefined,
    ...more,
  };
}

const pdid = { vendor: '5C-26-23', model: 8, version: 3, serial: 88_712, firmware: '2.0.11' };
const found = (address: number, more: Partial<FoundDevice> = {}): FoundDevice => ({
  address,
  baudRate: 9_600,
  pdid,
  conflict: false,
  ...more,
});

/** Until somebody stops it. */
const untilStopped = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

t.test('the commissioning view', { skip: SKIP_WITHOUT_CHROMIUM }, async (t) => {
  const browser = await launchBrowser();
  t.teardown(() => browser.close());

  t.test('lets everybody look and only who has the code act', async (t) => {
    const { page, openWindow, complaints } = await commissioningScene(t, browser, wall());
    await page.getByRole('heading', { name: 'Commissioning is closed' }).waitFor();
    await page.getByText('sparc commission open --operator NAME').waitFor();
    t.equal(await page.locator('.act:visible').count(), 0, 'nothing to press');
    t.notOk(await page.getByLabel('Code of the window').isVisible(), 'no code to enter while none is valid');

    const code = openWindow();
    await page.getByRole('heading', { name: 'Commissioning is open' }).waitFor();
    await says(page.locator('#commissioning-left'), /^(30:00|29:\d\d)$/);
    await page.getByLabel('Code of the window').fill('WRONG222');
    await page.getByRole('button', { name: 'Begin' }).click();
    await page.getByRole('alert').getByText('The code is not that of the open commissioning window').waitFor();
    t.equal(await page.locator('.act:visible').count(), 0);

    await page.getByLabel('Code of the window').fill(`${code.slice(0, 4)}-${code.slice(4)}`.toLowerCase());
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'You may commission' }).waitFor();
    t.ok((await page.locator('.act:visible').count()) > 3);
    await page.reload();
    await page.getByRole('heading', { name: 'You may commission' }).waitFor();
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByRole('heading', { name: 'Commissioning is open' }).waitFor();
    t.equal(await page.locator('.act:visible').count(), 0);
    t.strictSame(complaints, []);
  });

  t.test('closes the window, and forgets its code with it', async (t) => {
    const { page, begin } = await commissioningScene(t, browser, wall());
    await begin();
    await page.getByRole('button', { name: 'Close the window' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close it' }).click();
    await page.getByRole('heading', { name: 'Commissioning is closed' }).waitFor();
    t.equal(await page.evaluate('window.sessionStorage.length'), 0);
    t.equal(await page.locator('.act:visible').count(), 0);
  });

  t.test('shows a search as it goes: what was found, where it belongs, and conflicts', async (t) => {
    const scene = await commissioningScene(
      t,
      browser,
      wall({
        work: async (signal, report) => {
          const devices = [
            found(0, { defaultKey: true, secureChannel: true }),
            found(3, { device: SERVER, baudRate: 115_200 }),
            { address: 9, baudRate: 9_600, conflict: true },
          ];
          report({ step: 'address 17 at 9600 baud', progress: 0.4, found: devices });
          await untilStopped(signal);
        },
      }),
    );
    const { page, asked, begin } = scene;
    await begin();
    const busB = page.getByRole('article', { name: 'bus-b' });
    await busB.getByRole('button', { name: 'Search for readers' }).click();
    const dialog = page.getByRole('dialog', { name: 'Search for readers on bus-b' });
    t.ok(await dialog.getByLabel('9 600 baud').isChecked(), 'the speed that new readers have');
    await dialog.getByLabel('Addresses from 0 up to').fill('20');
    await dialog.getByRole('button', { name: 'Search' }).click();
    const search = busB.getByRole('region', { name: 'Search on bus-b' });
    await search.getByText('Searching: 3 devices found').waitFor();
    await search.getByText('address 17 at 9600 baud').waitFor();
    t.strictSame(asked, [
      {
        kind: 'discover',
        bus: 'bus-b',
        baudRates: [9_600, 115_200],
        addresses: Array.from({ length: 21 }, (_, index) => index),
      },
    ]);
    const row = (address: number) => search.locator('.found-device', { hasText: `Address ${address}` });
    await says(row(0), /Not in the plan.*Waits for its key.*5C-26-23 · model 8\.3 · serial 88712/);
    await says(row(3), /115.200 baud.*Server room/);
    await says(row(9), /Two at this address.*Unplug one of them/);
    t.equal(await row(9).getByRole('button').count(), 0, 'a conflict can be neither moved nor keyed');
    await search.getByRole('button', { name: 'Stop' }).click();
    await search.getByText('Last search: 3 devices found').waitFor();
    t.strictSame(scene.complaints, []);
  });

  t.test('moves a new reader to the address that waits for one, and sets its first key', async (t) => {
    const { page, asked, begin } = await commissioningScene(
      t,
      browser,
      wall({ work: async (_signal, report) => report({ found: [found(0, { defaultKey: true })] }) }),
    );
    await begin();
    const busB = page.getByRole('article', { name: 'bus-b' });
    await busB.getByRole('button', { name: 'Search for readers' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Search' }).click();
    await busB.getByText('Not found: Server room (address 3)').waitFor();
    await busB.locator('.found-device').getByRole('button', { name: 'Set address' }).click();
    const move = page.getByRole('dialog', { name: 'Move the reader at address 0' });
    t.equal(await move.getByRole('combobox').inputValue(), '3', 'the address of the plan that is missing');
    await move.getByRole('button', { name: 'Set the address' }).click();
    await page.locator('#task-list').getByText('Set address').waitFor();
    await busB.getByRole('button', { name: 'Set key Server room' }).click();
    const key = page.getByRole('dialog', { name: 'Set the first key of Server room?' });
    await key.getByText('nobody else is on it').waitFor();
    await key.getByRole('button', { name: 'set the key' }).click();
    await page.locator('#task-list').getByText('Set key · Server room').waitFor();
    t.strictSame(asked.slice(1), [
      { kind: 'setAddress', bus: 'bus-b', address: 0, baudRate: 9_600, newAddress: 3 },
      { kind: 'setKey', device: SERVER },
    ]);
  });

  t.test('says of each key what it is, and what to do', async (t) => {
    const keys = ['changing', 'lost', 'none'] as const;
    const devices = READERS.map((id, at) => ({ id, bus: 'bus-a', address: at, key: keys[at] ?? 'none' }));
    const { page } = await commissioningScene(
      t,
      browser,
      wall({
        inventory: { devices, bundles: [], escrow: false },
        buses: [
          bus(
            'bus-a',
            devices.map(({ id, address, key }) => deviceHealth(id, key, { address })),
          ),
          bus('bus-b', []),
        ],
      }),
    );
    const row = (name: string) => page.locator('.device', { hasText: name });
    await row('Front, outside').getByText('the old and the new one are held').waitFor();
    await row('Front, inside').getByText('Reset it to its factory state as its manual says').waitFor();
    await row('Server room').getByText('Has no key yet and is not in service').waitFor();
    await page.getByText('Keys are held by this gateway alone').waitFor();
    for (const badge of ['Key changing', 'Key lost', 'No key']) t.ok(await page.getByText(badge).first().isVisible());
  });

  t.test('tells an installer in plain words what is wrong with a bus', async (t) => {
    const damaged = deviceHealth(FRONT, 'proven', {
      badCheckCount: 400,
      retryCount: 410,
      naks: [{ code: 1, name: 'bad check', count: 60 }],
      sessionRestartCount: 7,
    });
    const { page } = await commissioningScene(
      t,
      browser,
      wall({
        buses: [
          bus('bus-a', [damaged, deviceHealth(INSIDE, 'proven', { address: 1 })], {
            predictedPollPeriodMs: 300,
            pollPeriodMs: { p50: 700, p99: 1_400, max: 2_000 },
          }),
          bus('bus-b', [], { up: false }),
        ],
      }),
    );
    const busA = page.getByRole('article', { name: 'bus-a' });
    await busA.getByText('A reader waits up to 1.4 s for its turn, instead of 300 ms.').waitFor();
    const row = busA.locator('.device', { hasText: 'Front, outside' });
    await says(row, /Damaged4\.0 %.*4 % of its replies are damaged\. Check the termination/);
    await says(row, /Receives damaged commands \(NAK 1 bad check, 60 times\)/);
    await says(row, /Its secure session broke 7 times/);
    t.equal(await busA.locator('.device', { hasText: 'Front, inside' }).locator('.finding').count(), 0);
    await page.getByRole('article', { name: 'bus-b' }).getByText('The line is down').waitFor();
  });

  t.test('shows why something failed, and why something is not begun', async (t) => {
    const { page, begin } = await commissioningScene(
      t,
      browser,
      wall({
        work: async (signal, report) => {
          report({ step: 'waiting', progress: 0.2 });
          await untilStopped(signal);
          throw new SparcError('ERR_COMMISSIONING_CANCELLED', 'ended');
        },
      }),
    );
    await begin();
    const busA = page.getByRole('article', { name: 'bus-a' });
    const change = async () => {
      await busA.getByRole('button', { name: 'Change speed' }).click();
      await page.getByRole('dialog').getByLabel('New speed').selectOption('115200');
      await page.getByRole('dialog').getByRole('button', { name: 'Change the speed' }).click();
    };
    await change();
    await busA.getByText('waiting').waitFor();
    await change();
    const refused = page.getByRole('alert').filter({ hasText: 'Something else is under way' });
    await says(refused, /What to do: Wait until the task named in the message has ended/);
    await refused.getByRole('button', { name: 'Close' }).click();
    await page.locator('#task-list').getByRole('button', { name: 'Stop' }).click();
    await busA.getByText('Cancelled').waitFor();
    t.notOk(await refused.isVisible());
  });

  t.test('sends a bundle to the readers that are chosen', async (t) => {
    const { page, asked, begin } = await commissioningScene(t, browser, wall());
    await begin();
    await page.getByRole('button', { name: 'Send to readers' }).click();
    const dialog = page.getByRole('dialog', { name: 'Send R40 firmware 2.4.1' });
    t.ok(await dialog.getByLabel('Server room').isDisabled(), 'a reader that is away is not offered');
    await dialog.getByLabel('Somebody stands at them').check();
    await dialog.getByLabel('Front, outside').check();
    await dialog.getByLabel('Front, inside').check();
    await dialog.getByRole('button', { name: 'Send' }).click();
    await page.locator('#task-list').getByText('Send bundle').waitFor();
    t.strictSame(asked, [{ kind: 'transfer', bundle: 'r40-2', devices: [FRONT, INSIDE], acceptDoorOutage: true }]);
  });

  t.test(
    'fits a phone: nothing is cut off, and every control is large enough for a finger and has a name',
    async (t) => {
      const { page, begin } = await commissioningScene(t, browser, wall(), { width: 360, height: 740 });
      await begin();
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
      const controls = await page.locator('button:visible, .tabs a:visible').all();
      t.ok(controls.length > 10);
      for (const control of controls) {
        const box = await control.boundingBox();
        t.ok((box?.height ?? 0) >= 44, await control.evaluate((element) => element.outerHTML));
      }
      t.equal(await page.getByRole('button', { name: /^$/ }).count(), 0);
      await page.getByRole('button', { name: 'Search for readers' }).first().click();
      const box = await page.getByRole('dialog').boundingBox();
      t.ok(box !== null && box.x >= 0 && box.x + box.width <= 360 && box.height <= 740);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      t.equal(await page.evaluate('document.activeElement.textContent'), 'Search for readers', 'focus goes back');
    },
  );

  t.test('keeps focus on a button while the view beside it changes', async (t) => {
    const scene = await commissioningScene(t, browser, wall());
    const { page, begin } = scene;
    await begin();
    const button = page.getByRole('button', { name: 'Identify Front, outside' });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.locator('.device', { hasText: 'Front, outside' }).getByText('Done').waitFor();
    t.equal(await page.evaluate('document.activeElement.id'), `identify-${FRONT}`);
    t.strictSame(scene.asked, [{ kind: 'identify', device: FRONT }]);
  });
});
