import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';

t.test('what people do to a gateway is in its journal, whether it ran or not', async (t) => {
  const gateway = await LiveGateway.create({ site: liveSiteFile([{ id: 'front', bus: 'bus-a' }]) });
  t.teardown(() => gateway.remove());
  const named = (name: string) => gateway.event((event) => event.name === name, name);
  await gateway.startOnline();
  const applied = await named('policy.applied');
  const loaded = await named('policy.loaded');
  const account = userInfo().username;
  t.match(applied.detail, { account, outcome: 'done', revision: loaded.detail?.['revision'] });
  t.ok(Date.parse(applied.detail?.['at'] ?? '') < Date.now(), 'when it was done, not when it was recorded');

  const log = join(gateway.folder, 'log.jsonl');
  t.match(await gateway.sparc('ledger', 'export', log, '--by', 'Ada Lovelace'), { exitCode: 0 });
  t.match((await named('ledger.exported')).detail, { by: 'Ada Lovelace', account, format: 'lines', upTo: /^1\.\d+$/ });
  const wrong = join(gateway.folder, 'wrong.yaml');
  writeFileSync(wrong, 'site: nothing of the kind');
  t.not((await gateway.sparc('policy', 'apply', wrong, '--by', 'Eve')).exitCode, 0);
  const failed = await gateway.event((event) => event.detail?.['by'] === 'Eve', 'the failure');
  t.match(failed, { name: 'policy.applied', code: /^ERR_/, detail: { outcome: 'failed' } });

  await gateway.end('SIGTERM');
  const config = JSON.parse(readFileSync(gateway.configPath, 'utf8')) as object;
  writeFileSync(gateway.configPath, JSON.stringify({ ...config, gateway: { name: 'renamed' } }));
  gateway.start();
  t.match((await named('config.changed')).detail, {
    file: 'configuration',
    from: /^[0-9a-f]{64}$/,
    to: /^[0-9a-f]{64}$/,
  });
  await gateway.end('SIGTERM');
});
