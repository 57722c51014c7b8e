import { existsSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';
import { DurabilityShim, SKIP_WITHOUT_CC } from '../journal/durability-shim.js';

const SITE = liveSiteFile([
  { id: 'front', bus: 'bus-a' },
  { id: 'back', bus: 'bus-b', accessPoint: { onRecordFailure: 'grantVolatile' } },
]);

t.test(
  'with a full disk each door does what its access point says, and the gap is recorded',
  { skip: SKIP_WITHOUT_CC },
  async (t) => {
    const gateway = await LiveGateway.create({ site: SITE });
    t.teardown(() => gateway.remove());
    const scratch = await mkdtemp(join(tmpdir(), 'sparc-shim-'));
    t.teardown(() => rm(scratch, { recursive: true, force: true }));
    const shim = new DurabilityShim(scratch, { folder: gateway.dataDir });
    await gateway.startOnline(shim.environment);
    await eventually('the API answers', () => gateway.isServing());
    const front = gateway.lock('front');
    const back = gateway.lock('back');

    await writeFile(shim.fullMark, '');
    gateway.present('front-reader', 'card-1');
    gateway.present('back-reader', 'card-2');
    await eventually('the volatile door opens', () => back.released);
    gateway.live.doors.get('front')?.pressExitButton(300);
    await eventually('the exit button opens', () => front.released);
    t.equal(front.movements.length, 1, 'it was the button: the card is denied');
    await eventually('the log names the code', () =>
      gateway.log.some(({ code }) => code === 'ERR_LEDGER_WRITE_FAILED'),
    );
    await eventually('the API tells it', async () => {
      const { journal } = await gateway.api<{ journal: { healthy: boolean } }>('/api/site');
      return !journal.healthy;
    });

    await rm(shim.fullMark);
    await gateway.event(({ name }) => name === 'journal.gap', 'the gap');
    const late =
      (name: string, doorId: string) =>
      (event: { name: string; doorId?: string; detail?: Readonly<Record<string, string>> }) =>
        event.name === name && event.doorId === doorId;
    await gateway.event(late('journal.volatile_grant', 'back'), 'the volatile grant alarms');
    await gateway.event(late('access.granted', 'back'), 'the grant');
    await gateway.event(late('exit.released', 'front'), 'the exit');
    const denied = await gateway.event(late('access.denied', 'front'), 'the denial');
    t.equal(denied.reason, 'record_failed');
    t.match(denied.detail, { lateMs: /^\d+$/ });
    await eventually('both are locked', () => !front.released && !back.released);
    await gateway.released('front', 'card-3');
    await gateway.end('SIGTERM');
    t.equal((await gateway.sparc('ledger', 'verify')).exitCode, 0);
  },
);

t.test('a damaged journal is moved aside and a new one begins', async (t) => {
  const gateway = await LiveGateway.create({ site: SITE });
  t.teardown(() => gateway.remove());
  await gateway.startOnline();
  await gateway.end('SIGTERM');
  const file = await open(join(gateway.dataDir, 'journal.db'), 'r+');
  await file.write(Buffer.alloc(4_096, 0x5a), 0, 4_096, 0);
  await file.close();
  gateway.start();
  await eventually('it is moved aside', () => existsSync(join(gateway.dataDir, 'journal.corrupt-1.db')));
  await gateway.online([...gateway.live.devices.keys()]);
  const gap = await gateway.event(({ name }) => name === 'journal.gap', 'the loss is on record');
  t.equal(gap.code, 'ERR_LEDGER_CORRUPT');
  await gateway.released('front', 'card-1');
  await gateway.end('SIGTERM');
  const { exitCode, stdout } = await gateway.sparc('ledger', 'verify');
  t.equal(exitCode, 0);
  t.match(stdout, /earlier entries are lost/);
});
