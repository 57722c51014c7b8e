import { open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SiteFile } from '@sparc/protocol/policy';
import t from 'tap';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';

const SITE = liveSiteFile([{ id: 'front', bus: 'bus-a' }]);
/** `card-1` has lost its right. */
const REVISED: SiteFile = {
  ...SITE,
  credentials: SITE.credentials.map((card) => (card.id === 'card-1' ? { ...card, accessProfiles: [] } : card)),
};

async function opens(gateway: LiveGateway, cardId: string): Promise<void> {
  await eventually('it is locked', () => !gateway.lock('front').released);
  await gateway.released('front', cardId);
}

const isDenied = (gateway: LiveGateway, cardId: string, why: string): Promise<void> =>
  gateway.presented('front-reader', cardId, `${cardId} is denied for ${why}`, () =>
    gateway.events.some(({ name, reason }) => name === 'access.denied' && reason === why),
  );

async function damage(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(256, 0x5a), 0, 256, 4_096);
  await file.close();
}

t.test('policy files and damage to them never stop a gateway', async (t) => {
  const gateway = await LiveGateway.create({ site: SITE });
  t.teardown(() => gateway.remove());
  await gateway.startOnline();

  await opens(gateway, 'card-1');
  const wrong = { ...SITE, doors: SITE.doors.map((door) => ({ ...door, lock: { ...door.lock, output: 'nowhere' } })) };
  await writeFile(join(gateway.folder, 'wrong.json'), JSON.stringify(wrong));
  const refused = await gateway.sparc('policy', 'apply', join(gateway.folder, 'wrong.json'));
  t.not(refused.exitCode, 0);
  t.match(refused.stderr, /ERR_POLICY_INVALID/);
  t.match(refused.stderr, /nowhere/);
  await opens(gateway, 'card-2');
  t.equal(gateway.events.filter(({ name }) => name === 'policy.loaded').length, 1, 'the old policy stays');

  await gateway.apply(REVISED);
  await eventually(
    'the revision is in force',
    () => gateway.events.filter(({ name }) => name === 'policy.loaded').length === 2,
  );
  await eventually('it is locked', () => !gateway.lock('front').released);
  await new Promise((resolve) => setTimeout(resolve, 500));
  // The card that lost its right.
  await isDenied(gateway, 'card-1', 'no_right');
  await opens(gateway, 'card-3');

  await gateway.end('SIGTERM');
  const folder = join(gateway.dataDir, 'policy');
  const databases = (await readdir(folder)).filter((name) => /^generation-\d+\.db$/.test(name)).sort();
  t.equal(databases.length, 2, 'two generations are kept');
  await damage(join(folder, databases[1] ?? ''));
  await gateway.startOnline();
  const rejected = await gateway.event(({ name }) => name === 'policy.rejected', 'the newest is rejected');
  t.equal(rejected.code, 'ERR_POLICY_CORRUPT');
  await opens(gateway, 'card-1');

  await gateway.end('SIGTERM');
  await damage(join(folder, databases[0] ?? ''));
  await gateway.startOnline();
  t.ok(gateway.events.some(({ name, code }) => name === 'policy.lost' && code === 'ERR_POLICY_NONE'));
  await isDenied(gateway, 'card-4', 'no_policy');
  await opens(gateway, 'card-chief');
  await gateway.event(({ name }) => name === 'access.granted.emergency', 'the emergency card alarms');
  gateway.live.doors.get('front')?.pressExitButton(300);
  await gateway.event(({ name }) => name === 'exit.released', 'the exit button works');
});
