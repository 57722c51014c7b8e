import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AuthorityFolder } from '@sparc/edge/authority';
import { nodeRandom, verifySignature } from '@sparc/edge/platform';
import { openRequest } from '@sparc/protocol/roster';
import { VirtualClock } from '@sparc/simulator/world';
import { SITE_FILE } from '../../support/site-file.js';
import { sparc } from '../../support/sparc-command.js';

interface Shown {
  readonly site: string;
  readonly authority: string;
  readonly epoch: number;
  readonly expired?: boolean;
  readonly members: readonly { readonly name: string; readonly key: string; readonly addresses: readonly string[] }[];
}

/** Others reach it wherever the system lets it listen. */
const CONFIG = { dataDir: './data', buses: [], mesh: { listen: '127.0.0.1:0' } };

/** The value that a command printed, or the code of its refusal. */
async function run<T = Shown>(...args: readonly string[]): Promise<T | string> {
  const { exitCode, stdout, stderr } = await sparc([...args, '--json']);
  return exitCode === 0 ? (JSON.parse(stdout) as T) : (JSON.parse(stderr) as { code: string }).code;
}

function scene(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-enrolment-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const authority = join(folder, 'authority');
  const gateway = (name: string, more: object = {}) => {
    const home = join(folder, name);
    mkdirSync(home);
    const config = join(home, 'gateway.json');
    writeFileSync(config, JSON.stringify({ ...CONFIG, gateway: { name }, ...more }));
    const file = (suffix: string) => join(folder, `${name}.${suffix}`);
    return { config, dataDir: join(home, 'data'), request: file('request'), admission: file('admission') };
  };
  return { folder, authority, gateway };
}

t.test('two gateways become members by files alone, and both show the same roster', async (t) => {
  const { authority, gateway } = scene(t);
  const made = (await run('authority', 'init', authority, '--site', 'harbour')) as Shown;
  t.match(made, { site: 'harbour', epoch: 1, members: [] });
  const [hall, gate] = [gateway('hall'), gateway('gate')];
  const addresses = ['gate.local:7400', '[fe80::1]:7400'];
  await run('gateway', 'request', '--config', hall.config, '--out', hall.request);
  const flags = addresses.flatMap((address) => ['--address', address]);
  await run('gateway', 'request', '--config', gate.config, '--out', gate.request, ...flags);
  const enrolled = await run('authority', 'enrol', hall.request, gate.request, '--dir', authority);
  for (const { config, admission } of [hall, gate]) {
    t.match(await run('gateway', 'join', admission, '--config', config, '--by', 'Ada'), { authority: made.authority });
    const shown = (await run('roster', 'show', '--config', config)) as Shown;
    t.match(shown, { site: 'harbour', epoch: 2, authority: made.authority, expired: false });
    t.strictSame(
      shown.members.map(({ name, addresses: at }) => ({ name, at })),
      [
        { name: 'hall', at: [] },
        { name: 'gate', at: addresses },
      ],
    );
    t.match(enrolled, { members: shown.members });
  }
});

t.test('who joined a gateway to which site is noted for its journal', async (t) => {
  const { authority, gateway } = scene(t);
  const { authority: key } = (await run('authority', 'init', authority, '--site', 'harbour')) as Shown;
  const { config, dataDir, request, admission } = gateway('hall');
  await run('gateway', 'request', '--config', config, '--out', request);
  await run('authority', 'enrol', request, '--dir', authority);
  await run('gateway', 'join', admission, '--config', config, '--by', 'Ada');
  const notes = readdirSync(join(dataDir, 'acts')).map((name) => readFileSync(join(dataDir, 'acts', name), 'utf8'));
  t.equal(notes.length, 1);
  t.match(JSON.parse(notes[0] ?? ''), {
    name: 'site.joined',
    by: 'Ada',
    account: userInfo().username,
    outcome: 'done',
    facts: { site: 'harbour', authority: key, epoch: '2' },
  });
});

t.test('no command shows the secrets of the site, and the files that are carried do not hold them', async (t) => {
  const { authority, gateway } = scene(t);
  const { config, request, admission } = gateway('hall');
  const printed = [
    await sparc(['authority', 'init', authority, '--site', 'harbour']),
    await sparc(['gateway', 'request', '--config', config, '--out', request]),
    await sparc(['authority', 'enrol', request, '--dir', authority]),
    await sparc(['gateway', 'join', admission, '--config', config]),
    await sparc(['roster', 'show', '--config', config]),
  ];
  t.strictSame(
    printed.map(({ exitCode, stderr }) => ({ exitCode, stderr })),
    printed.map(() => ({ exitCode: 0, stderr: '' })),
  );
  const folder = AuthorityFolder.open(authority, {
    clock: new VirtualClock(),
    random: nodeRandom,
    verify: verifySignature,
  });
  t.teardown(() => folder.close());
  for (const secret of [folder.siteSecret.secret, folder.pinKey]) {
    const hex = Buffer.from(secret).toString('hex');
    t.notOk(printed.some(({ stdout }) => stdout.includes(hex)));
    for (const file of [request, admission]) t.notOk(readFileSync(file).includes(Buffer.from(secret)), file);
  }
});

t.test('without --address a gateway is asked for where its mesh listens, unless that is everywhere', async (t) => {
  const { gateway } = scene(t);
  const cases = {
    'one.address': { listen: '10.0.0.5:7400', asked: ['10.0.0.5:7400'] },
    'one.ipv6': { listen: '[fd00::5]:7400', asked: ['[fd00::5]:7400'] },
    everywhere: { listen: '0.0.0.0:7400', asked: [] },
    'everywhere.ipv6': { listen: '[::]:7400', asked: [] },
    'any.port': { listen: '10.0.0.5:0', asked: [] },
  };
  for (const [name, { listen, asked }] of Object.entries(cases)) {
    const { config, request } = gateway(name, { mesh: { listen } });
    await run('gateway', 'request', '--config', config, '--out', request);
    t.strictSame(openRequest(verifySignature, readFileSync(request)).member.addresses, asked, name);
  }
});

t.test('a gateway that enforces the policy of another site does not join', async (t) => {
  const { folder, authority, gateway } = scene(t);
  await run('authority', 'init', authority, '--site', 'airport');
  const { config, request, admission } = gateway('hall', {
    buses: [
      { id: 'bus-a', serial: { path: '/dev/ttyUSB7' } },
      { id: 'bus-b', tcp: { host: '127.0.0.1', port: 4_001 } },
    ],
  });
  writeFileSync(join(folder, 'site.yaml'), SITE_FILE);
  t.match(await run('policy', 'apply', join(folder, 'site.yaml'), '--config', config), { siteId: 'harbour' });
  await run('gateway', 'request', '--config', config, '--out', request);
  await run('authority', 'enrol', request, '--dir', authority);
  t.equal(await run('gateway', 'join', admission, '--config', config), 'ERR_MESH_OTHER_SITE');
});

t.test('wrong files, folders, names and addresses are refused with a code', async (t) => {
  const { folder, authority, gateway } = scene(t);
  const { config, request } = gateway('hall');
  t.equal(await run('authority', 'init', authority, '--site', 'The Harbour'), 'ERR_CLI_USAGE');
  t.equal(await run('roster', 'show', '--config', config), 'ERR_MESH_NOT_A_MEMBER');
  await run('authority', 'init', authority, '--site', 'harbour');
  t.equal(await run('authority', 'init', authority, '--site', 'harbour'), 'ERR_MESH_AUTHORITY_PRESENT');
  t.equal(
    await run('gateway', 'request', '--config', config, '--out', request, '--address', 'nowhere'),
    'ERR_CLI_USAGE',
  );
  t.notOk(existsSync(request));
  const missing = join(folder, 'missing');
  t.equal(await run('authority', 'enrol', missing, '--dir', authority), 'ERR_CLI_READ_FAILED');
  writeFileSync(missing, 'a letter');
  t.equal(await run('authority', 'enrol', missing, '--dir', authority), 'ERR_MESH_REQUEST_INVALID');
  writeFileSync(missing, Buffer.alloc(200_000));
  t.equal(await run('gateway', 'join', missing, '--config', config), 'ERR_CLI_READ_FAILED');
  await run('gateway', 'request', '--config', config, '--out', request);
  t.equal(await run('authority', 'enrol', request, '--dir', folder), 'ERR_MESH_AUTHORITY_DAMAGED');
  t.equal(await run('gateway', 'join', request, '--config', config), 'ERR_MESH_ADMISSION_INVALID');
});

t.test('an expired roster is shown with a warning', async (t) => {
  const { authority, gateway } = scene(t);
  const { config, request, admission } = gateway('hall');
  const clock = new VirtualClock({ startUnixMs: Date.parse('2020-01-01T00:00:00Z') });
  AuthorityFolder.create(authority, 'harbour', { clock, random: nodeRandom, verify: verifySignature }).close();
  await run('gateway', 'request', '--config', config, '--out', request);
  const { member: asked } = openRequest(verifySignature, readFileSync(request));
  const folder = AuthorityFolder.open(authority, { clock, random: nodeRandom, verify: verifySignature });
  writeFileSync(admission, folder.enrol([asked])[0] ?? '');
  folder.close();
  await run('gateway', 'join', admission, '--config', config);
  t.match(await run('roster', 'show', '--config', config), { expired: true });
  t.match((await sparc(['roster', 'show', '--config', config])).stdout, 'EXPIRED');
});

t.test(
  'nobody joins whose configuration would let it call nobody: no code, request or admission is spent',
  async (t) => {
    const { gateway } = scene(t);
    const claim = (config: string) => run('gateway', 'claim', 'https://127.0.0.1:9', 'no code', '--config', config);
    const { config, dataDir, request, admission } = gateway('alone', { mesh: undefined });
    t.equal(await claim(config), 'ERR_CONFIG_INVALID');
    t.equal(await run('gateway', 'request', '--out', request, '--config', config), 'ERR_CONFIG_INVALID');
    t.notOk(existsSync(request));
    t.equal(await run('gateway', 'join', admission, '--config', config), 'ERR_CONFIG_INVALID', 'before it is read');
    t.notOk(existsSync(dataDir), 'no key was made');
    t.equal(await claim(gateway('meshed').config), 'ERR_CLAIM_CODE_MISTYPED', 'the code is looked at next');
  },
);
