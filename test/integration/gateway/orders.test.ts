import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';

t.test('a revocation that was acknowledged outlives a kill -9 and the loss of its list', async (t) => {
  const site = liveSiteFile([{ id: 'front', bus: 'bus-a' }]);
  const gateway = await LiveGateway.create({ site });
  t.teardown(() => gateway.remove());
  const isServing = () => eventually('the API listens', () => gateway.isServing());
  await gateway.startOnline();
  await isServing();
  const credential = site.credentials[0]?.id ?? '';
  t.match(await gateway.sparc('revoke', 'nobody', '--by', 'Ada'), { exitCode: 3 });
  t.match(await gateway.sparc('revoke', credential, '--by', 'Ada'), { exitCode: 0 });
  await gateway.end('SIGKILL');
  const listed = async () => JSON.parse((await gateway.sparc('revocations', '--json')).stdout) as unknown;
  t.match(await listed(), { revocations: [{ number: 1, subject: 'credential', id: credential, by: 'Ada' }] });

  rmSync(join(gateway.dataDir, 'revocations.jsonl'));
  await gateway.startOnline();
  await isServing();
  await gateway.event(({ name }) => name === 'revocation.list_restored', 'the journal gives it back');
  t.match(await listed(), { revocations: [{ number: 1, id: credential }] });
  const status = await gateway.sparc('gateway', 'status', '--json');
  t.match(JSON.parse(status.stdout), { revocation: { number: 1 } });
});

t.test('what a person orders is done, refused where it must be, and stands after a kill -9', async (t) => {
  const gateway = await LiveGateway.create({ site: liveSiteFile([{ id: 'front', bus: 'bus-a' }]) });
  t.teardown(() => gateway.remove());
  const isServing = () => eventually('the API listens', () => gateway.isServing());
  const order = (...args: readonly string[]) => gateway.sparc(...args, '--by', 'Ada');
  await gateway.startOnline();
  await isServing();

  t.match(await order('door', 'open', 'front'), { exitCode: 0 });
  // A busy machine may come back from the command when the lock has relocked.
  t.equal(gateway.lock('front').movements[0]?.released, true);
  await gateway.event(({ name }) => name === 'operator.release', 'the release is recorded');

  t.match(await order('mode', 'lockdown'), { exitCode: 0 });
  await eventually('the lock relocks', () => !gateway.lock('front').released);
  const refused = await order('door', 'open', 'front');
  t.equal(refused.exitCode, 3);
  t.match(refused.stderr, /ERR_GATEWAY_ORDER_REFUSED/);

  await gateway.end('SIGKILL');
  await gateway.startOnline();
  await isServing();
  const shown = await gateway.sparc('mode', 'show', '--json');
  t.match(JSON.parse(shown.stdout), { mode: { lockdown: true }, doors: [{ id: 'front', mode: 'lockedDown' }] });

  await gateway.end('SIGKILL');
  writeFileSync(join(gateway.dataDir, 'site-mode.json'), '{', { mode: 0o600 });
  await gateway.startOnline();
  await isServing();
  await gateway.event(({ name }) => name === 'site.mode_restored', 'the journal gives the lockdown back');
  await eventually('the site is locked down', async () => {
    const { stdout } = await gateway.sparc('mode', 'show', '--json');
    return (JSON.parse(stdout) as { mode: { lockdown: boolean } }).mode.lockdown;
  });
  t.match(await order('mode', 'end-lockdown'), { exitCode: 0 });
  t.match(await order('door', 'mode', 'front', 'unlocked'), { exitCode: 0 });
  await eventually('the lock is released', () => gateway.lock('front').released);
  t.match(await order('door', 'mode', 'front', 'scheduled'), { exitCode: 0 });
  await eventually('the lock relocks', () => !gateway.lock('front').released);
  t.match(await order('door', 'mode', 'front', 'blocked', '--for', '2h'), { exitCode: 0 });
  const until = JSON.parse((await gateway.sparc('mode', 'show', '--json')).stdout) as { doors: object[] };
  t.match(until, { doors: [{ mode: 'blocked', orderedUntilUnixMs: Number }] });
  t.match(await order('door', 'mode', 'front', 'unlocked', '--for', 'ever'), { exitCode: 2 });
  t.match(await order('door', 'mode', 'front', 'scheduled', '--for', '2h'), { exitCode: 2 });

  const forged = await fetch(`${gateway.apiUrl}/api/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer wrong' },
    body: JSON.stringify({ by: 'Eve', order: { kind: 'evacuate' } }),
  });
  t.equal(forged.status, 401);
});
