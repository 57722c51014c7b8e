import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { SiteSnapshot } from '@sparc/edge/api';
import type { SavedClock } from '@sparc/edge/clock';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';

const DAY_MS = 86_400_000;

t.test('a clock before what has surely passed is not believed until a person says so, over a kill -9', async (t) => {
  const gateway = await LiveGateway.create({ site: liveSiteFile([{ id: 'front', bus: 'bus-a' }]) });
  t.teardown(() => gateway.remove());
  const path = join(gateway.dataDir, 'clock.json');
  const start = async () => {
    await gateway.startOnline();
    await eventually('the API listens', () => gateway.isServing());
  };
  const status = async () =>
    JSON.parse((await gateway.sparc('gateway', 'status', '--json')).stdout) as Pick<SiteSnapshot, 'clock' | 'policy'>;

  await start();
  const before = await status();
  t.match(before.clock, { quality: /^(synced|unsynced)$/ });
  await gateway.end('SIGKILL');

  // As if the machine had been a day further when it was last seen.
  const saved = JSON.parse(readFileSync(path, 'utf8')) as SavedClock;
  const { line } = saved.state;
  const mark = { unixMs: Date.now() + DAY_MS, atMs: line.steadySinceMs };
  writeFileSync(path, JSON.stringify({ ...saved, state: { ...saved.state, mark } }));
  await start();
  const event = await gateway.event(({ name }) => name === 'clock.distrusted', 'it is an alarm');
  t.ok(Number(event.detail?.['behindMs']) > DAY_MS / 2);
  const distrusted = await status();
  t.match(distrusted.clock, { quality: 'stepped' });
  t.match(await gateway.sparc('gateway', 'status'), { stdout: /The clock is NOT BELIEVED/ });

  t.match(await gateway.sparc('clock', 'accept', '--by', 'Ada'), { exitCode: 0 });
  const accepted = await gateway.event(({ name }) => name === 'clock.accepted', 'who said so is recorded');
  t.match(accepted.detail, { by: 'Ada' });
  await eventually('the clock is believed', async () => (await status()).clock.quality === 'holdover');

  await gateway.end('SIGKILL');
  await start();
  const after = await status();
  t.match(after.clock, { quality: 'holdover' });
  t.equal(after.policy?.confirmedAtUnixMs, before.policy?.confirmedAtUnixMs, 'a restart makes no policy younger');
});
