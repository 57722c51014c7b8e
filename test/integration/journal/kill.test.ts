import { join } from 'node:path';
import t from 'tap';
import { nodeCrypto, openJournal } from '@sparc/edge/ledger';
import { createNodeClock, loadIdentity, nodeRandom } from '@sparc/edge/platform';
import type { Heard } from './journal-program.js';
import { acknowledged, lostEntries, runProgram, temporaryFolder, wholeness } from './run-program.js';

/** How often an entry meets a journal that is away depends on how long the new one takes to start. */
const isRefusedAsStopped = (line: Heard) => line.kind === 'refused' && line.code === 'ERR_LEDGER_STOPPED';
const turns = (heard: readonly Heard[]) =>
  heard.filter((line) => line.kind !== 'acknowledged' && !isRefusedAsStopped(line));

const POINTS = ['before begin', 'after begin', 'after insert', 'before commit', 'after commit', 'after word'] as const;

for (const point of POINTS) {
  t.test(`killed ${point}, the journal is whole and has every entry of which word was given`, async (t) => {
    for (const commit of [1, 4]) {
      if (point === 'after word' && commit === 1) continue;
      const folder = await temporaryFolder(t);
      const hook = { COMMIT_HOOK: `kill@${point}#${commit}`, COMMIT_HOOK_MARK: join(folder, 'fired') };
      const { heard, signal } = await runProgram(folder, {
        how: 'direct',
        parallel: 3,
        environment: hook,
        preload: 'preload-commit-hook',
        until: (heard) => (point === 'after word' && acknowledged(heard).length === commit ? 'SIGKILL' : undefined),
      });
      t.equal(signal, 'SIGKILL');
      t.ok(acknowledged(heard).length >= (commit === 1 ? 0 : 4), `${acknowledged(heard).length} acknowledged`);

      const deps = {
        signer: loadIdentity(folder),
        clock: createNodeClock(),
        random: nodeRandom,
        crypto: nodeCrypto,
      };
      const { report, close } = await openJournal(folder, deps, { siteId: 'harbour' }, {});
      await close();
      t.equal(report.loss, undefined, 'nothing is missed');
      t.same(lostEntries(join(folder, 'journal.db'), heard), []);
      t.equal(wholeness(folder), 'whole');
      const open = new Set(report.openGrants.map(({ id }) => `${id.epoch}/${id.sequence}`));
      t.ok(
        acknowledged(heard).every(({ epoch, sequence }) => open.has(`${epoch}/${sequence}`)),
        'every grant of the dead process is reported as open',
      );
    }
  });
}

t.test('a journal thread that ends is started again in a new epoch, and its loss is recorded', async (t) => {
  const folder = await temporaryFolder(t);
  const { heard } = await runProgram(folder, {
    how: 'thread',
    parallel: 2,
    environment: { COMMIT_HOOK: 'exit@before commit#5', COMMIT_HOOK_MARK: join(folder, 'fired') },
    preload: 'preload-commit-hook',
    until: (heard) => (acknowledged(heard).some(({ epoch }) => epoch === 2) ? 'SIGTERM' : undefined),
  });
  t.match(turns(heard), [
    { kind: 'started', epoch: 1 },
    { kind: 'down', code: 'ERR_LEDGER_STOPPED' },
    { kind: 'started', epoch: 2 },
    { kind: 'stopped' },
  ]);
  t.ok(heard.filter(isRefusedAsStopped).length >= 2, 'what was on its way is refused');
  t.same(lostEntries(join(folder, 'journal.db'), heard), []);
  t.equal(wholeness(folder), 'whole');
});

t.test('a database found damaged at a commit is moved aside, and recording goes on in a new one', async (t) => {
  const folder = await temporaryFolder(t);
  const { heard } = await runProgram(folder, {
    how: 'thread',
    parallel: 1,
    environment: { COMMIT_HOOK: 'corrupt@after insert#5', COMMIT_HOOK_MARK: join(folder, 'fired') },
    preload: 'preload-commit-hook',
    until: (heard) => (acknowledged(heard).some(({ epoch }) => epoch === 2) ? 'SIGTERM' : undefined),
  });
  t.match(turns(heard), [
    { kind: 'started', epoch: 1 },
    { kind: 'refused', code: 'ERR_LEDGER_WRITE_FAILED' },
    { kind: 'down', code: 'ERR_LEDGER_CORRUPT' },
    { kind: 'started', epoch: 2, loss: 'ERR_LEDGER_CORRUPT' },
    { kind: 'stopped' },
  ]);
  t.equal(wholeness(folder), 'whole');
  t.same(
    lostEntries(
      join(folder, 'journal.corrupt-1.db'),
      heard.slice(
        0,
        acknowledged(heard).findIndex(({ epoch }) => epoch === 2),
      ),
    ),
    [],
    'the old file has what it had',
  );
});
