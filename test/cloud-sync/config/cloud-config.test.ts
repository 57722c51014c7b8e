import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CloudConfig, loadCloudConfig, spanMs, UNUSED_VARIABLES } from '@sparc/cloud-sync/config';
import { openAuthorities } from '../../support/certificates.js';
import { readRepositoryFile } from '../../support/repository.js';

const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-config-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const authorities = await openAuthorities(join(folder, 'keys'));
const [root, other] = [await authorities.server(['cloud']), await authorities.server(['other'])];

t.test('without any configuration the database is inside the program', async (t) => {
  t.match(loadCloudConfig({ PATH: '/bin' }), { DATABASE_URL: 'pglite:./data/cloud', DATABASE_POOL_SIZE: 10 });
});

t.test('the environment goes before the file, and a file of a value before nothing', async (t) => {
  const config = file('cloud.yaml', 'DATABASE_URL: postgres://db/a\nDATABASE_POOL_SIZE: 5\n');
  t.match(loadCloudConfig({ DATABASE_POOL_SIZE: '7' }, config), {
    DATABASE_URL: 'postgres://db/a',
    DATABASE_POOL_SIZE: 7,
  });
  const secret = file('url', 'postgres://ada:hunter2@db/b\n');
  t.match(loadCloudConfig({ DATABASE_URL_FILE: secret }, config), { DATABASE_URL: 'postgres://ada:hunter2@db/b' });
});

t.test('an unknown name in the file, a wrong value and a file that is no list are refused', async (t) => {
  const refused = (text: string) => () => loadCloudConfig({}, file('wrong.yaml', text));
  t.throws(refused('DATABASE_URI: postgres://db/a\n'), {
    code: 'ERR_CONFIG_INVALID',
    message: /DATABASE_URI: is unknown/,
  });
  t.throws(refused('DATABASE_POOL_SIZE: 0\n'), { code: 'ERR_CONFIG_INVALID', message: /DATABASE_POOL_SIZE: / });
  t.throws(refused('- DATABASE_URL\n'), { code: 'ERR_CONFIG_INVALID' });
  t.throws(refused('{'), { code: 'ERR_CONFIG_INVALID' });
  t.throws(refused('HTTP_PORT: 1\nJWT_SECRET: hunter2\nHTTP_PORT: 2\n'), {
    message: /no YAML: DUPLICATE_KEY in line 3$/,
  });
  t.throws(refused('HTTP_PORT:\n'), { message: /^HTTP_PORT: has no value/ }, 'it would be any free port');
  t.throws(() => loadCloudConfig({}, join(folder, 'absent')), { code: 'ERR_CONFIG_UNREADABLE' });
  t.throws(() => loadCloudConfig({ DATABASE_URL_FILE: join(folder, 'absent') }), { code: 'ERR_CONFIG_UNREADABLE' });
});

t.test('the public host is a name or an address, as URLs and certificates take it', async (t) => {
  for (const PUBLIC_HOST of ['cloud.example.com', 'localhost', '10.0.0.5', '2001:db8::5']) {
    t.match(loadCloudConfig({ PUBLIC_HOST }), { PUBLIC_HOST });
  }
  for (const PUBLIC_HOST of ['', 'https://cloud.example.com', 'cloud.example.com:7743', 'my cloud', '-']) {
    t.throws(() => loadCloudConfig({ PUBLIC_HOST }), { code: 'ERR_CONFIG_INVALID', message: /^PUBLIC_HOST: / });
  }
});

t.test('a broker of your own has to come with the port by which gateways reach it', async (t) => {
  const own = { MQTT_URL: 'mqtts://broker.example.com:8884' };
  t.throws(() => loadCloudConfig(own), { code: 'ERR_CONFIG_INVALID', message: /^PUBLIC_MQTT_PORT: must have/ });
  t.match(loadCloudConfig({ ...own, PUBLIC_MQTT_PORT: '8883' }), { ...own, PUBLIC_MQTT_PORT: 8883 });
});

t.test('what could not be used at any time is refused at once, in words and without its value', (t) => {
  const broker = { MQTT_URL: 'mqtts://broker.example.com:8884', PUBLIC_MQTT_PORT: '8883' };
  const broken = '-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----';
  const refused: readonly (readonly [NodeJS.ProcessEnv, RegExp])[] = [
    [{ DATABASE_URL: 'postgres://ada:hunter2@[' }, /^DATABASE_URL: cannot be used: Invalid URL$/],
    [{ DATABASE_URL: 'postgres://ada:hunter2@db:99999/x' }, /^DATABASE_URL: cannot be used/],
    [{ DATABASE_URL: 'postgres://db/x?sslmode=verify-full&sslrootcert=/absent' }, /^DATABASE_URL: .*\/absent/],
    [{ DATABASE_URL: 'mysql://ada:hunter2@db/x' }, /^DATABASE_URL: is not `postgres:/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL: is not of `trace`/],
    [{ JWT_EXPIRES_IN: '999999d' }, /^JWT_EXPIRES_IN: is more than 366 days$/],
    [{ REFRESH_TOKEN_EXPIRES_IN: '367d' }, /^REFRESH_TOKEN_EXPIRES_IN: is more/],
    [{ JWT_SECRET: ' '.repeat(40) }, /^JWT_SECRET: must NOT have fewer/],
    [{ HTTP_PORT: ' ' }, /^HTTP_PORT: must be integer$/],
    [{ HTTP_HOST: 'http://127.0.0.1' }, /^HTTP_HOST: is not where/],
    [{ MQTT_HOST: '127.0.0.1:80' }, /^MQTT_HOST: is not where/],
    [{ ...broker, MQTT_URL: 'mqtts://' }, /^MQTT_URL: is not a broker/],
    [{ ...broker, MQTT_URL: 'mqtts://ada:hunter2@b:99999' }, /^MQTT_URL: cannot be used/],
    [{ ...broker, MQTT_URL: 'mqtts://ada:hunter2%zz@b' }, /^MQTT_URL: cannot be used/],
    [{ ...broker, MQTT_CA: broken }, /^MQTT_CA: cannot be used/],
    [{ ...broker, MQTT_CA: root.keyPem }, /^MQTT_CA: cannot be used/],
    [{ ...broker, MQTT_CERT: broken, MQTT_KEY: root.keyPem }, /^MQTT_CERT: cannot be used/],
    [{ ...broker, MQTT_CERT: root.certificatePem, MQTT_KEY: broken }, /^MQTT_KEY: cannot be used/],
    [{ ...broker, MQTT_CERT: root.certificatePem, MQTT_KEY: other.keyPem }, /^MQTT_KEY: cannot be used.*mismatch/],
    [{ ...broker, MQTT_CERT: root.certificatePem }, /^MQTT_KEY: must have/],
    [{ ...broker, MQTT_URL: 'mqtt://broker:1883', MQTT_CA: root.certificatePem }, /^MQTT_URL: is without TLS/],
    [{ MQTT_CA: root.certificatePem }, /^MQTT_URL: must have/],
    [{ PKCS11_TOKEN: 'harbour-hsm' }, /^PKCS11_MODULE: must have/],
  ];
  for (const [environment, message] of refused) {
    t.throws(() => loadCloudConfig(environment), { code: 'ERR_CONFIG_INVALID', message });
    try {
      loadCloudConfig(environment);
    } catch (error) {
      t.notMatch(String(error), 'hunter2');
    }
  }
  t.end();
});

t.test('what may be odd and can be used is taken', (t) => {
  const [certificate, key] = [root.certificatePem.trim(), root.keyPem.trim()];
  const tls = { MQTT_CA: certificate, MQTT_CERT: certificate, MQTT_KEY: key };
  for (const environment of [
    { DATABASE_URL: 'postgres://%2Fvar%2Frun%2Fpostgresql/sparc' },
    { DATABASE_URL: 'postgres:///sparc?host=/var/run/postgresql' },
    { DATABASE_URL: 'postgres://ada:a%20b@db/x?sslmode=require' },
    { HTTP_HOST: '::', GATEWAY_HOST: '0.0.0.0', MQTT_HOST: 'fe80::1%eth0', OPERATIONS_HOST: 'localhost' },
    { MQTT_URL: 'mqtts://ada:a%2Fb@broker.example.com', PUBLIC_MQTT_PORT: '8883', ...tls },
    { JWT_EXPIRES_IN: '366d', REFRESH_TOKEN_EXPIRES_IN: '366d' },
  ]) {
    t.match(loadCloudConfig(environment), {
      ...environment,
      ...('PUBLIC_MQTT_PORT' in environment && { PUBLIC_MQTT_PORT: 8883 }),
    });
  }
  t.equal(loadCloudConfig({ HTTP_PORT: ' 80\n' }).HTTP_PORT, 80);
  t.end();
});

t.test('a token has to be named, and to open', async (t) => {
  const own = { PKCS11_MODULE: '/usr/lib/softhsm/libsofthsm2.so', PKCS11_TOKEN: 'harbour-hsm' };
  t.throws(() => loadCloudConfig(own), { code: 'ERR_CONFIG_INVALID', message: /^PKCS11_PIN: must have/ });
  t.match(loadCloudConfig({ ...own, PKCS11_PIN: '0123' }), { ...own, PKCS11_PIN: '0123' });
});

t.test('every variable is documented with its default, once, and those that are not used are named', async (t) => {
  const lines = readRepositoryFile('cloud-sync/README.md').split('\n');
  const rowsOf = (name: string) => lines.filter((line) => line.startsWith(`| \`${name}\``)).map(cells);
  for (const [name, { description, default: fallback }] of Object.entries(CloudConfig.properties)) {
    const shown = fallback === undefined ? '' : `\`${String(fallback)}\``;
    t.strictSame(rowsOf(name), [[`\`${name}\``, shown, description]]);
  }
  for (const [name, why] of Object.entries(UNUSED_VARIABLES)) {
    t.strictSame(rowsOf(name), [[`\`${name}\``, 'not used', why]]);
  }
});

const cells = (row: string) =>
  row
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());

t.test('names that other programs of an installation have are passed over, and spans have units', async (t) => {
  t.notOk('S3_BUCKET' in loadCloudConfig({}, file('others.yaml', 'S3_BUCKET: sparc\nHTTP_PORT: 80\n')));
  t.strictSame(['90', '90s', '15m', '2h', '30d'].map(spanMs), [90_000, 90_000, 900_000, 7_200_000, 2_592_000_000]);
});
