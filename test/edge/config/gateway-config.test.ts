import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { problemsOf } from '@sparc/protocol/document';
import { loadGatewayConfig, loadHostToken, loadOsdpKeys, parseGatewayConfig, readOsdpKeys } from '@sparc/edge/config';
import { isSparcError } from '@sparc/protocol/errors';
import { edited } from '../../support/site-file.js';

const KEY = 'a1'.repeat(32);

const CONFIG = `gateway: { name: demo-gateway }
dataDir: ./data
osdpKeysFile: keys.yaml
buses:
  - { id: bus-a, serial: { path: /dev/ttyUSB0, baudRate: 9600 } }
  - { id: bus-b, tcp: { host: 127.0.0.1, port: 4001 } }
api: { host: 127.0.0.1, port: 8080 }
console: { simulatorUrl: "http://127.0.0.1:9000" }
log: { level: debug }
host: { url: "https://192.0.2.7/authorise", tokenFile: host-token }
escrow: { recoveryKey: oGUIhTQnk_mhyhMlLE_zk2mCNTGUsPY5-08-qzfAryU, path: share/hallway.sealed }
mesh: { listen: "0.0.0.0:7400", peers: { ${KEY}: ["10.0.0.9:7401", "[fd00::5]:7402"] } }
`;

const MISTAKES: readonly (readonly [from: string, to: string, message: RegExp, suggestion?: string])[] = [
  ['dataDir: ./data', 'datadir: ./data', /no known field/, 'dataDir'],
  ['baudRate: 9600', 'baudRate: 9601', /one of 9600, 19200/],
  ['port: 4001', 'port: 0', /at least 1/],
  ['port: 4001', 'port: 65536', /at most 65535/],
  ['id: bus-b', 'id: bus-a', /id of buses\[0\]/],
  ['id: bus-b', 'id: Bus B', /lower-case/],
  ['tcp: { host: 127.0.0.1, port: 4001 }', 'serial: { path: /dev/ttyUSB0 }', /which buses\[0\] has already/],
  ['api: { host: 127.0.0.1', 'api: { host: 0.0.0.0', /loopback.*no login/],
  ['http://127.0.0.1:9000', 'http://192.0.2.1:9000', /loopback/],
  ['http://127.0.0.1:9000', 'https://127.0.0.1:9000', /http address/],
  ['level: debug', 'level: chatty', /one of fatal/],
  ['recoveryKey: oGUI', 'recoveryKey: oGU', /sparc site recovery-key/],
  ['port: 4001', 'port: 4001, baudRate: 1200', /one of 9600, 19200/],
  ['https://192.0.2.7', 'http://192.0.2.7', /must be https/],
  ['https://192.0.2.7', 'https://host.example', /IP number/],
  ['https://192.0.2.7', 'https://localhost', /IP number/],
  ['https://192.0.2.7', 'ftp://192.0.2.7', /must be https/],
  ['https://192.0.2.7/authorise', 'authorise', /IP number/],
  ['0.0.0.0:7400', '0.0.0.0', /HOST:PORT/],
  ['0.0.0.0:7400', 'hallway.example:7400', /IP address of this machine/],
  ['0.0.0.0:7400', '0.0.0.0:70000', /port of 0 to 65535/],
  ['10.0.0.9:7401', '10.0.0.9:0', /port of 1 to 65535/],
  ['10.0.0.9:7401', 'http://10.0.0.9:7401', /HOST:PORT/],
];

function problemsIn(text: string) {
  try {
    parseGatewayConfig(text, '/etc/sparc/gateway.yaml');
    return [];
  } catch (error) {
    t.ok(isSparcError(error, 'ERR_CONFIG_INVALID'));
    return problemsOf(error);
  }
}

function folder(t: { teardown(done: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'sparc-config-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

t.test('paths are relative to the configuration file', async (t) => {
  const config = parseGatewayConfig(CONFIG, '/etc/sparc/gateway.yaml');
  t.equal(config.dataDir, '/etc/sparc/data');
  t.equal(config.osdpKeysFile, '/etc/sparc/keys.yaml');
  t.strictSame(config.buses[1], { id: 'bus-b', tcp: { host: '127.0.0.1', port: 4001 } });
  t.strictSame(config.host, { url: 'https://192.0.2.7/authorise', tokenFile: '/etc/sparc/host-token' });
  t.equal(config.escrow?.path, '/etc/sparc/share/hallway.sealed');
  t.equal(config.escrow?.recoveryKey.length, 32);
});

t.test(
  'the mesh listens at an address, looks for others unless told not to, and knows more of their addresses',
  async (t) => {
    const { mesh } = parseGatewayConfig(CONFIG, '/etc/sparc/gateway.yaml');
    t.strictSame(mesh, {
      listen: { host: '0.0.0.0', port: 7_400 },
      discover: true,
      peers: { [KEY]: ['10.0.0.9:7401', '[fd00::5]:7402'] },
    });
    const bare = edited(CONFIG, '"0.0.0.0:7400", peers:', '"[::]:0", discover: false, peers:').text;
    t.match(parseGatewayConfig(bare, '/etc/sparc/gateway.yaml').mesh, {
      listen: { host: '::', port: 0 },
      discover: false,
    });
    t.match(problemsIn(edited(CONFIG, KEY, 'hallway').text), [{ line: 12 }], 'a peer is named by its key');
  },
);

t.test('what is left out has a default', async (t) => {
  const config = parseGatewayConfig(
    'gateway: { name: g }\nbuses: [{ id: a, serial: { path: /dev/ttyS0 } }]\n',
    '/etc/sparc/gateway.yaml',
  );
  t.strictSame(config, {
    gateway: { name: 'g' },
    dataDir: '/etc/sparc/data',
    bundleSigners: [],
    buses: [{ id: 'a', serial: { path: '/dev/ttyS0', baudRate: 9_600 } }],
    api: { host: '127.0.0.1', port: 8_080 },
    console: {},
    log: { level: 'info' },
  });
});

for (const [from, to, message, suggestion] of MISTAKES) {
  t.test(`\`${to}\` instead of \`${from}\` is refused at its line`, async (t) => {
    const { text, line } = edited(CONFIG, from, to);
    t.match(problemsIn(text), [{ line, message, ...(suggestion !== undefined && { suggestion }) }]);
    t.equal(problemsIn(text).length, 1);
  });
}

t.test('every mistake is shown at once, in the order of the lines', async (t) => {
  const edits = [MISTAKES[0], MISTAKES[1], MISTAKES[2], MISTAKES[10]];
  let text = CONFIG;
  for (const edit of edits) if (edit !== undefined) text = edited(text, edit[0], edit[1]).text;
  t.strictSame(
    problemsIn(text).map(({ line }) => line),
    [2, 5, 6, 9],
  );
});

t.test('broken YAML is refused at its line, whatever is wrong with it', async (t) => {
  t.match(problemsIn(`${CONFIG}dataDir: ./again\n`), [{ line: 13, message: /unique/ }]);
  t.match(problemsIn('gateway: { name: [ }\n'), [{ line: 1 }]);
  t.match(problemsIn(`gateway: ${'['.repeat(100_000)}`), [{ message: /nested too deeply/ }]);
  t.match(problemsIn(`# ${'x'.repeat(1_100_000)}`), [{ message: /the most is/ }]);
  t.match(problemsIn('gateway: *missing\n'), [{ line: 1, message: /alias/i }]);
  t.match(problemsIn('gateway: !!binary x\n'), [{ line: 1 }]);
});

t.test('an alias bomb is refused before it takes memory', async (t) => {
  const levels = 'abcdefghi'.split('').map((name, index, all) => {
    const content = index === 0 ? '[x, x, x, x, x, x, x, x, x]' : `[${`*${all[index - 1]}, `.repeat(9)}]`;
    return `${name}: &${name} ${content}`;
  });
  t.match(problemsIn(levels.join('\n')), [{ message: /too many aliases/ }]);
});

t.test('a file that cannot be read has a code of its own', async (t) => {
  const path = folder(t);
  t.throws(() => loadGatewayConfig(join(path, 'none.yaml')), {
    code: 'ERR_CONFIG_UNREADABLE',
    message: /no such file/,
  });
  t.throws(() => loadGatewayConfig(path), { code: 'ERR_CONFIG_UNREADABLE' });
  writeFileSync(join(path, 'latin.yaml'), Uint8Array.of(0x67, 0xfc, 0x72));
  t.throws(() => loadGatewayConfig(join(path, 'latin.yaml')), { code: 'ERR_CONFIG_UNREADABLE', message: /UTF-8/ });
});

t.test('OSDP keys are read from a file that only its owner can read', async (t) => {
  const path = join(folder(t), 'keys.yaml');
  const key = '9F86D081884C7D659A2FEAA0C55AD015';
  writeFileSync(path, `front-out: "${key}"\n`, { mode: 0o600 });
  t.strictSame(loadOsdpKeys(path).get('front-out'), Uint8Array.from(Buffer.from(key, 'hex')));
  chmodSync(path, 0o640);
  t.throws(() => loadOsdpKeys(path), { code: 'ERR_CONFIG_SECRET_EXPOSED' });
});

t.test('a key in the place of a name is refused without being shown', async (t) => {
  const path = join(t.testdir(), 'keys.yaml');
  const key = '00112233445566778899AABBCCDDEEFF';
  writeFileSync(path, `${key}: front-out\n`, { mode: 0o600 });
  try {
    loadOsdpKeys(path);
    t.fail('it was taken');
  } catch (error) {
    t.notMatch(JSON.stringify([(error as Error).message, problemsOf(error)]), key);
    t.match(error, { code: 'ERR_CONFIG_INVALID' });
  }
});

t.test('a wrong OSDP key is refused without being shown', async (t) => {
  const path = join(folder(t), 'keys.yaml');
  for (const key of [
    '"00112233445566778899AABBCCDDEEF"',
    '12345678901234567890123456789012',
    '"303132333435363738393A3B3C3D3E3F"',
  ]) {
    writeFileSync(path, `a: "9F86D081884C7D659A2FEAA0C55AD015"\nb: ${key}\n`, { mode: 0o600 });
    try {
      loadOsdpKeys(path);
      t.fail(`${key} passed`);
    } catch (error) {
      t.match(problemsOf(error), [{ line: 2, path: 'b' }]);
      t.notOk(JSON.stringify(error).includes(key.replaceAll('"', '')));
      t.notOk((error as Error).message.includes(key.replaceAll('"', '')));
    }
  }
});

t.test('a weak OSDP key is refused for a gateway, and taken for reading along', async (t) => {
  const path = join(folder(t), 'keys.yaml');
  const key = '00112233445566778899aabbccddeeff';
  writeFileSync(path, `a: "${key}"\n`, { mode: 0o600 });
  t.throws(() => loadOsdpKeys(path), { code: 'ERR_CONFIG_INVALID', message: /a row of equal steps/ });
  t.strictSame(readOsdpKeys(path), new Map([['a', Uint8Array.from(Buffer.from(key, 'hex'))]]));
});

t.test('a host may stand on this machine, without TLS', async (t) => {
  for (const url of ['http://127.0.0.1:9100/', 'http://[::1]:9100/']) {
    const { text } = edited(CONFIG, 'https://192.0.2.7/authorise', url);
    t.equal(parseGatewayConfig(text, '/etc/sparc/gateway.yaml').host?.url, url);
  }
});

t.test('the token of a host is one line in a file that others cannot read', async (t) => {
  const path = join(folder(t), 'host-token');
  t.throws(() => loadHostToken(path), { code: 'ERR_CONFIG_UNREADABLE' });
  writeFileSync(path, 'a-token-of-some-length\n', { mode: 0o600 });
  t.equal(loadHostToken(path), 'a-token-of-some-length');
  for (const text of ['', 'short', 'two words of some length', 'two-lines\nof-some-length']) {
    writeFileSync(path, text);
    t.throws(() => loadHostToken(path), { code: 'ERR_CONFIG_SECRET_CORRUPT' });
  }
  chmodSync(path, 0o640);
  t.throws(() => loadHostToken(path), { code: 'ERR_CONFIG_SECRET_EXPOSED' });
});
