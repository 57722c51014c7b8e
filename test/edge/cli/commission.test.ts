import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SparcError } from '@sparc/protocol/errors';
import type { TaskWork } from '@sparc/edge/commissioning';
import { bus, deviceHealth, startCommissioning } from '../../support/commissioning-site.js';
import { sparc, spawnSparc } from '../../support/sparc-command.js';

const PDID = { vendor: '5C-26-23', model: 8, version: 3, serial: 88_712, firmware: '2.0.11' };

/** The real API over a wall with one reader in service and one without a key; `sparc` finds it as it would a gateway. */
async function gateway(t: Test, work: TaskWork = async () => undefined) {
  const started = await startCommissioning(t, {
    inventory: {
      devices: [
        { id: 'front', bus: 'bus-1', address: 0, key: 'proven' },
        { id: 'lab', bus: 'bus-1', address: 1, key: 'none' },
      ],
      bundles: [{ id: 'r40-2', name: 'R40 firmware', version: '2.4.1', size: 102_400 }],
      escrow: true,
    },
    buses: [
      bus('bus-1', [
        deviceHealth('front', 'proven', { badCheckCount: 400, naks: [{ code: 1, name: 'bad check', count: 50 }] }),
        deviceHealth('lab', 'none', { address: 1, link: 'offline', secure: false }),
      ]),
    ],
    work,
  });
  const config = join(started.dataDir, 'gateway.yaml');
  writeFileSync(config, `gateway: { name: closet }\ndataDir: .\nbuses: []\n`);
  delete process.env['SPARC_COMMISSIONING_CODE'];
  process.env['SPARC_CONFIG'] = config;
  t.teardown(() => delete process.env['SPARC_CONFIG']);
  const commission = (...args: string[]) => sparc(['commission', ...args]);
  return { ...started, commission };
}

t.test('a window is opened, shown and closed', async (t) => {
  const { commission } = await gateway(t);
  const opened = await commission('open', '--operator', 'Ada Lovelace', '--minutes', '60');
  t.equal(opened.exitCode, 0, opened.stderr);
  t.match(opened.stdout, /Code: [2-9A-HJ-NP-Z]{8}\n/);
  t.match(opened.stdout, /export SPARC_COMMISSIONING_CODE=[2-9A-HJ-NP-Z]{8}/);
  const status = await commission('status');
  t.match(status.stdout, /Open for Ada Lovelace until/);
  t.match(status.stdout, /lab +bus-1 +1 +none/);
  t.match(status.stdout, /r40-2 +R40 firmware +2\.4\.1/);

  const again = await commission('open', '--operator', 'Bob');
  t.equal(again.exitCode, 3);
  t.match(again.stderr, 'ERR_COMMISSIONING_WINDOW_OPEN');
  t.equal((await commission('close')).exitCode, 0);
  t.match((await commission('status')).stdout, 'Commissioning is closed.');
  t.equal((await commission('status', '--json')).stdout.includes('"window"'), false);
});

t.test('an operation runs in the window whose code is given, and leaves it open', async (t) => {
  const { commission, asked, openWindow, commissioning } = await gateway(t);
  process.env['SPARC_COMMISSIONING_CODE'] = openWindow();
  const done = await commission('set-key', 'lab', '--json');
  t.equal(done.exitCode, 0, done.stderr);
  t.match(JSON.parse(done.stdout), { kind: 'setKey', device: 'lab', state: 'done', operator: 'Ada Lovelace' });
  t.strictSame(asked, [{ kind: 'setKey', device: 'lab' }]);
  t.ok(commissioning.view().window);
  process.env['SPARC_COMMISSIONING_CODE'] = 'WRONG222';
  const refused = await commission('set-key', 'lab', '--json');
  t.equal(refused.exitCode, 3);
  t.equal(JSON.parse(refused.stderr).code, 'ERR_COMMISSIONING_CODE_REFUSED');
});

t.test('without a code, --operator opens a window for the command alone', async (t) => {
  let isOpen = false;
  const { commission, commissioning } = await gateway(t, async () => {
    isOpen = commissioning.view().window?.operator === 'Ada';
  });
  const none = await commission('identify', 'front');
  t.equal(none.exitCode, 2);
  t.match(none.stderr, /SPARC_COMMISSIONING_CODE, or --operator/);
  const done = await commission('identify', 'front', '--operator', 'Ada');
  t.equal(done.exitCode, 0, done.stderr);
  t.match(done.stdout, 'front blinked and beeped.');
  t.ok(isOpen);
  t.equal(commissioning.view().window, undefined, 'closed behind it');
});

t.test('every command asks for what its words say', async (t) => {
  const { commission, asked } = await gateway(t);
  const place = ['--bus', 'bus-1', '--address', '0', '--baud-rate', '9600'];
  const operator = ['--operator', 'Ada'];
  for (const args of [
    ['identify', ...place],
    ['set-address', '3', ...place],
    ['set-speed', 'bus-1', '115200'],
    ['capture', 'bus-1', '--seconds', '5'],
    ['transfer', 'r40-2', 'front', 'lab'],
    ['transfer', 'r40-2', 'front', '--accept-door-outage'],
    ['discover', 'bus-1', '--baud-rates', '9600,115200', '--addresses', '0-2,7'],
    ['discover', 'bus-1'],
  ]) {
    const { exitCode, stderr } = await commission(...args, ...operator);
    t.equal(exitCode, 0, stderr);
  }
  t.strictSame(asked, [
    { kind: 'identifyFound', bus: 'bus-1', address: 0, baudRate: 9_600 },
    { kind: 'setAddress', bus: 'bus-1', address: 0, baudRate: 9_600, newAddress: 3 },
    { kind: 'setBusSpeed', bus: 'bus-1', baudRate: 115_200 },
    { kind: 'capture', bus: 'bus-1', seconds: 5 },
    { kind: 'transfer', bundle: 'r40-2', devices: ['front', 'lab'], acceptDoorOutage: false },
    { kind: 'transfer', bundle: 'r40-2', devices: ['front'], acceptDoorOutage: true },
    { kind: 'discover', bus: 'bus-1', baudRates: [9_600, 115_200], addresses: [0, 1, 2, 7] },
    { kind: 'discover', bus: 'bus-1' },
  ]);
});

t.test('what is missing or out of range is said before anybody is asked', async (t) => {
  const { commission, asked } = await gateway(t);
  for (const [words, args] of [
    ['--bus, --address and --baud-rate', ['identify']],
    ['new-address', ['set-address', '127', '--bus', 'bus-1', '--address', '0', '--baud-rate', '9600']],
    ['baud-rate', ['set-speed', 'bus-1', '12345']],
    ["'fast' is no number", ['set-speed', 'bus-1', 'fast']],
    ['addresses', ['discover', 'bus-1', '--addresses', '100-140']],
    ['seconds', ['capture', 'bus-1', '--seconds', '0']],
    ['--minutes', ['open', '--minutes', '500']],
  ] as const) {
    const { exitCode, stderr } = await commission(...args, '--operator', 'Ada');
    t.equal(exitCode, 2, stderr);
    t.match(stderr, words);
  }
  t.strictSame(asked, []);
});

t.test(
  'a search shows how far it is, then a table, and fails the check where two devices have one address',
  async (t) => {
    const { commission } = await gateway(t, async (_signal, report) => {
      report({ step: 'address 5 at 9600 baud', progress: 0.5 });
      await new Promise((resolve) => setTimeout(resolve, 600));
      report({
        found: [
          { address: 0, baudRate: 9_600, pdid: PDID, conflict: false, defaultKey: true, device: 'lab' },
          { address: 9, baudRate: 9_600, conflict: true },
        ],
      });
    });
    const { exitCode, stdout, stderr } = await commission('discover', 'bus-1', '--operator', 'Ada');
    t.equal(exitCode, 1);
    t.match(stderr, '50 %  address 5 at 9600 baud\n');
    t.match(stdout, /0 +9600 +5C-26-23 +8\.3 +88712 +2\.0\.11 +lab +waits for its key/);
    t.match(stdout, /9 +9600 .*CONFLICT: two devices answer/);
  },
);

t.test('what failed is an error with its own code, and nothing on stdout', async (t) => {
  const { commission } = await gateway(t, () =>
    Promise.reject(new SparcError('ERR_BUS_RATE_FIXED', 'the converter is set to 9600 baud')),
  );
  const { exitCode, stdout, stderr } = await commission('set-speed', 'bus-1', '115200', '--operator', 'Ada', '--json');
  t.equal(exitCode, 3);
  t.equal(stdout, '');
  t.match(JSON.parse(stderr), { code: 'ERR_BUS_RATE_FIXED', message: 'the converter is set to 9600 baud' });
});

t.test('the health report has the figures and says what is bad in plain words', async (t) => {
  const { commission } = await gateway(t);
  const { exitCode, stdout } = await commission('health');
  t.equal(exitCode, 1);
  t.match(stdout, /bus-1: up, 9600 baud\n {2}poll period 120 ms, p99 140 ms \(predicted 120 ms, at most 1 s\)/);
  t.match(stdout, /front +0 +secure +proven +8\.0 ms\/14 ms +10000 +0 +0 +400 +1:50 +0/);
  t.match(stdout, '!! front: 4 % of its replies are damaged. Check the termination');
  t.match(stdout, '!  lab: has no key yet');
  const json = JSON.parse((await commission('health', '--json')).stdout);
  t.equal(json.buses[0].findings[0].level, 'bad');
});

t.test('a gateway that does not run is said, by the real command', async (t) => {
  const { dataDir, stop } = await gateway(t);
  await stop();
  const { exitCode, stderr } = await spawnSparc(dataDir, ['commission', 'status', '--json']);
  t.equal(exitCode, 3);
  t.equal(JSON.parse(stderr).code, 'ERR_CLI_GATEWAY_UNREACHABLE');
});

t.test('Ctrl-C ends what runs in order, and the window of the command with it', async (t) => {
  const { commission, commissioning } = await gateway(t, (signal) => {
    setTimeout(() => process.emit('SIGINT'), 50);
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  });
  const { exitCode, stderr } = await commission('capture', 'bus-1', '--operator', 'Ada');
  t.equal(exitCode, 3);
  t.match(stderr, 'ERR_COMMISSIONING_CANCELLED');
  t.equal(commissioning.view().window, undefined);
  t.match(commissioning.view().tasks, [{ state: 'cancelled' }]);
});

t.test('every command of commissioning has help', async (t) => {
  for (const name of [
    'open',
    'close',
    'status',
    'health',
    'discover',
    'identify',
    'set-address',
    'set-speed',
    'set-key',
  ]) {
    const { exitCode, stdout } = await sparc(['commission', name, '--help']);
    t.equal(exitCode, 0);
    t.match(stdout, '--json');
  }
});
