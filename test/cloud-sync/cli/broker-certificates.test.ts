import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { runCli } from '@sparc/cloud-sync/cli';

t.test('a key of the broker is for its owner alone, also where a file of its name was there', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-broker-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const key = join(folder, 'broker.key');
  writeFileSync(key, 'an old one', { mode: 0o644 });
  const host = { out: new PassThrough(), err: new PassThrough(), now: () => new Date() };
  const environment = { AUTHORITY_KEYS_DIR: join(folder, 'keys') };
  const argv = ['broker', 'certificates', folder, '--name', '127.0.0.1'];
  t.equal(await runCli(argv, { ...host, environment, ended: new AbortController().signal }), 0);
  t.equal(statSync(key).mode & 0o777, 0o600);
});
