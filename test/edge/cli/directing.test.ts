import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SITE_FILE } from '../../support/site-file.js';
import { sparc } from '../../support/sparc-command.js';

const HOUR_MS = 3_600_000;
const RAISE = `3f0c${'ab'.repeat(14)}`;
const threat = (number: number, scope?: readonly string[]) => ({
  id: number.toString(16).padStart(32, '0'),
  what: 'threat',
  ...(scope && { scope }),
});

const REVOKE = ['credential', 'revoke', 'card-adda', '--unlisted'];

interface Given {
  readonly text: string;
}

/** A gateway that takes directives, and then answers nothing any more. */
async function scene(
  t: Test,
  {
    isSilent = false,
    raises = [{ id: RAISE, what: 'lockdown' }] as readonly object[],
    /** What the gateways of the site say of any directive; undefined: nothing. */
    said = undefined as readonly object[] | undefined,
  } = {},
) {
  const folder = t.testdir({
    'gateway.yaml': 'gateway: { name: closet }\ndataDir: ./data\nbuses: []\n',
    'site.yaml': SITE_FILE,
  });
  const taken: Given[] = [];
  const answers: Record<string, object> = {
    'GET /api/site': { clock: { quality: 'holdover', aheadMs: -HOUR_MS }, mode: { raises } },
    'GET /api/mesh': { roster: { site: 'harbour' } },
    ...(!isSilent && { 'POST /api/directives': { id: RAISE, outcome: 'applied' } }),
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      if (request.method === 'POST') taken.push(JSON.parse(body) as Given);
      const of = `${request.method} ${request.url}`;
      const view = said && { id: RAISE, answeredBy: 'all', gateways: said };
      const answer = of.startsWith('GET /api/directives/') ? view : answers[of];
      if (answer === undefined) return void response.destroy();
      response.setHeader('connection', 'close').end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const config = ['--config', join(folder, 'gateway.yaml')];
  mkdirSync(join(folder, 'data'), { mode: 0o700 });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(join(folder, 'data', 'local-api.json'), JSON.stringify({ url, token: 'none' }), { mode: 0o600 });
  for (const args of [
    ['policy', 'apply', join(folder, 'site.yaml'), ...config],
    ['operator', 'key', join(folder, 'ada.key')],
  ]) {
    const { exitCode, stderr } = await sparc(args);
    t.equal(exitCode, 0, stderr);
  }
  const run = (...args: readonly string[]) => sparc([...args, '--key', join(folder, 'ada.key'), ...config]);
  return { run, config, said: () => taken.map(({ text }) => JSON.parse(text) as Record<string, unknown>) };
}

t.test('a name that the policy does not have is said before anything is signed, unless it is meant', async (t) => {
  const { run, said } = await scene(t, { isSilent: true });
  const visitor = ['visitor', 'add', '--id', 'guest', '--name', 'Guest', '--card', 'raw:8:ff', '--for', '1h'];
  const slips = [
    ['site', 'lockdown', '--area', 'halll'],
    ['site', 'lockdown', '--door', 'gaet'],
    ['credential', 'revoke', 'card-adda'],
    ['credential', 'revoke', 'adda', '--holder'],
    ['area', 'forgive', 'adda'],
    ['door', 'unlock', 'gaet'],
    [...visitor, '--profile', 'guest'],
    ['site', 'release', '--raise', '4'],
  ];
  for (const slip of slips) {
    const { exitCode, stderr } = await run(...slip);
    t.equal(exitCode, 2, slip.join(' '));
    t.match(stderr, /ERR_CLI_USAGE[\s\S]*--unlisted/);
  }
  t.strictSame(said(), []);
  await run('credential', 'revoke', 'card-adda', '--unlisted');
  await run('site', 'lockdown', '--area', 'hall', '--door', 'front');
  await run('credential', 'revoke', 'ada', '--holder');
  await run('site', 'release', '--raise', '3f');
  t.match(said(), [
    { kind: 'revoke', subjectId: 'card-adda' },
    { kind: 'raise', scope: ['hall', 'front'] },
    { kind: 'revoke', subject: 'holder' },
    { kind: 'release', raises: [RAISE] },
  ]);
});

t.test('a revocation of whom no gateway knows is given, and is told from one that somebody feels', async (t) => {
  const gateway = { gateway: 'aa'.repeat(32), name: 'hall', isReached: true, state: 'applied' };
  const nobody = { ...gateway, isUnlisted: true };
  const revoke = async (said: readonly object[]) => {
    const { run } = await scene(t, { said });
    const [plain, json] = [await run(...REVOKE), await run(...REVOKE, '--json')];
    t.strictSame([plain.exitCode, json.exitCode], [0, 0], plain.stderr);
    return { text: plain.stdout, value: JSON.parse(json.stdout) as { readonly isUnlisted?: boolean } };
  };
  const unknown = await revoke([nobody, { ...nobody, name: 'gate' }]);
  t.match(unknown.text, /WARNING: no gateway that carried it out has this id/);
  t.equal(unknown.value.isUnlisted, true);
  const known = await revoke([nobody, { ...gateway, name: 'gate' }]);
  t.notMatch(known.text, /WARNING/);
  t.notOk('isUnlisted' in known.value);
});

t.test('whoever directs signs by the clock of the gateway, which may not go by that of its machine', async (t) => {
  const { run, said } = await scene(t);
  const before = Date.now();
  await run('site', 'lockdown');
  const [{ issuedUnixMs } = {}] = said();
  t.ok(Math.abs(Number(issuedUnixMs) - (before - HOUR_MS)) < 60_000);
});

t.test('the id is told before anybody is waited for, and where it is not known whether it was given', async (t) => {
  const taken = await (await scene(t)).run('site', 'lockdown');
  t.match(taken.stderr, /Directive [0-9a-f]{32} is given/);
  t.notMatch(taken.stderr, /ERR_/, 'a gateway that does not answer later has not refused it');
  const silent = await (await scene(t, { isSilent: true })).run('site', 'lockdown');
  t.match(silent.stderr, /ERR_CLI_GATEWAY_UNREACHABLE[\s\S]*directive [0-9a-f]{32} may have been given/);
});

t.test('a threat level takes the place of those that stand there, and 0 ends them', async (t) => {
  const ofHall = threat(2, ['hall']);
  const raises = [threat(1), { id: RAISE, what: 'lockdown' }, ofHall, threat(3, ['hall', 'yard'])];
  const { run, said } = await scene(t, { isSilent: true, raises });
  await run('site', 'threat', '2', '--area', 'hall');
  await run('site', 'threat', '0', '--area', 'hall', '--door', 'front');
  await run('site', 'threat', '0', '--door', 'front');
  t.match(said(), [
    { kind: 'raise', what: 'threat', level: 2, scope: ['hall'], instead: [ofHall.id] },
    { kind: 'release', raises: [ofHall.id] },
  ]);
  t.equal(said().length, 2, 'nothing stands at that door alone');
});

t.test('more levels than one directive names are ended by several', async (t) => {
  const raises = Array.from({ length: 40 }, (_, at) => threat(at));
  const { run, said } = await scene(t, { raises });
  await run('site', 'threat', '3');
  const [raise, release, ...more] = said() as { readonly instead?: string[]; readonly raises?: string[] }[];
  t.match(raise, { kind: 'raise', level: 3 });
  t.match(release, { kind: 'release' });
  t.strictSame(
    [...(raise?.instead ?? []), ...(release?.raises ?? [])],
    raises.map(({ id }) => id),
  );
  t.strictSame(more, []);
});

t.test('a key of the environment gives way to another way that is asked for', async (t) => {
  const { config } = await scene(t);
  process.env['SPARC_OPERATOR_KEY'] = 'nowhere.key';
  t.teardown(() => delete process.env['SPARC_OPERATOR_KEY']);
  const forgiven = await sparc(['area', 'forgive', 'ada', '--by', 'Ada', ...config]);
  t.match(forgiven.stderr, /ERR_CLI_GATEWAY_UNREACHABLE/, 'the order is given, which this gateway does not take');
});
