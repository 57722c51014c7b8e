import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadCloudConfig } from '@sparc/cloud-sync/config';

const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-config-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

t.test('without any configuration the database is inside the program', async (t) => {
  t.strictSame(loadCloudConfig({ PATH: '/bin' }), { DATABASE_URL: 'pglite:./data/cloud', DATABASE_POOL_SIZE: 10 });
});

t.test('the environment goes before the file, and a file of a value before nothing', async (t) => {
  const config = file('cloud.yaml', 'DATABASE_URL: postgres://db/a\nDATABASE_POOL_SIZE: 5\n');
  t.strictSame(loadCloudConfig({ DATABASE_POOL_SIZE: '7' }, config), {
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
  t.throws(() => loadCloudConfig({}, join(folder, 'absent')), { code: 'ERR_CONFIG_UNREADABLE' });
  t.throws(() => loadCloudConfig({ DATABASE_URL_FILE: join(folder, 'absent') }), { code: 'ERR_CONFIG_UNREADABLE' });
});
