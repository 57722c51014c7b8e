import t from 'tap';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';

t.setTimeout(60_000);

t.test('what a person orders is done, refused where it must be, and stands after a kill -9', async (t) => {
  const gateway = await LiveGateway.create({ site: liveSiteFile([{ id: 'front', bus: 'bus-a' }]) });
  t.teardown(() => gateway.remove());
  const isServing = () => eventually('the API listens', () => gateway.isServing());
  const order = (...args: readonly string[]) => gateway.sparc(...args, '--by', 'Ada');
  await gateway.startOnline();
  await isServing();

  t.match(await order('door', 'open', 'front'), { exitCode: 0 });
  t.equal(gateway.lock('front').released, true);
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
  t.match(await order('mode', 'end-lockdown'), { exitCode: 0 });
  t.match(await order('door', 'mode', 'front', 'unlocked'), { exitCode: 0 });
  await eventually('the lock is released', () => gateway.lock('front').released);
  t.match(await order('door', 'mode', 'front', 'scheduled'), { exitCode: 0 });
  await eventually('the lock relocks', () => !gateway.lock('front').released);

  const forged = await fetch(`${gateway.apiUrl}/api/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer wrong' },
    body: JSON.stringify({ by: 'Eve', order: { kind: 'evacuate' } }),
  });
  t.equal(forged.status, 401);
});
