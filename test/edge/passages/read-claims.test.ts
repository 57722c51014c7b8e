import t from 'tap';
import { readBack } from '@sparc/edge/ledger';
import { CLAIM_MEMORY_MS, readClaims, type Claim } from '@sparc/edge/passages';
import type { EventRecord } from '@sparc/protocol/events';
import { emptyJournal } from '../../support/journal.js';
import { JournalOnDisk, opened } from '../ledger/journal-on-disk.js';

const moved = (holderId: string): EventRecord => ({
  name: 'area.moved',
  holderId,
  accessPointId: 'front-in',
  detail: { to: 'hall', certain: 'true' },
});
const forgiven: EventRecord = { name: 'apb.forgiven', holderId: 'h1', detail: { by: 'Grace Hopper' } };

t.test(
  'claims are read back in order over epochs and pages, without those of this start or from long ago',
  async (t) => {
    const journal = await JournalOnDisk.create(t);
    await journal.write(1, [moved('h0')]);
    await journal.clock.advance(CLAIM_MEMORY_MS + 1_000);
    await journal.write(
      2,
      Array.from({ length: 250 }, () => opened),
      [moved('h1'), opened, forgiven],
    );
    await journal.write(
      3,
      Array.from({ length: 250 }, () => opened),
      [moved('h2')],
    );
    const now = await journal.open(4);
    await now.writer.append({ record: moved('h3') });
    const before = { epoch: now.report.epoch.counter, sequence: 0 };
    const range = { nowUnixMs: journal.clock.wall().unixMs, withUses: false };
    const reading = readClaims(readBack(journal.folder, journal.clock, before), range);
    let isDone = false;
    void reading.then(() => (isDone = true));
    for (let pages = 0; !isDone && pages < 50; pages++) await journal.clock.advance(1);
    const claims = await reading;
    t.same(
      claims.map(({ record }) => [record.name, record.holderId]),
      [
        ['area.moved', 'h1'],
        ['apb.forgiven', 'h1'],
        ['area.moved', 'h2'],
      ],
    );
    t.equal(claims[0]?.record.detail?.['to'], 'hall');
    await now.close();
  },
);

t.test('a clock that was wrong for a while hides no claims before that', async (t) => {
  const journal = await JournalOnDisk.create(t);
  const quiet = Array.from({ length: 250 }, () => opened);
  await journal.write(1, [moved('h1')]);
  const wrongMs = journal.clock.wall().unixMs;
  journal.clock.stepWall(-wrongMs, 'unsynced');
  await journal.write(2, quiet, [moved('h2')], quiet);
  journal.clock.stepWall(wrongMs, 'synced');
  await journal.write(3, [moved('h3')]);
  t.same(await read(journal, false), ['area.moved h1', 'area.moved h2', 'area.moved h3']);
});

const used = (credentialId: string, uses: number): EventRecord => ({
  name: 'use_limit.changed',
  credentialId,
  accessPointId: 'front-in',
  detail: { uses: String(uses) },
});
const told = (part: number, counts: string, complete?: string): EventRecord => ({
  name: 'use_limit.restated',
  detail: { part: String(part), counts, ...(complete !== undefined && { complete }) },
});

t.test('of an emptied journal the counts of uses are there, and no passages', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [used('card', 3), moved('h1'), opened]);
  emptyJournal(journal.folder, { epoch: 1, sequence: 4 });
  await journal.write(2, [moved('h2')]);
  t.same(await read(journal, true), ['use_limit.changed card 3', 'area.moved h2']);
});

const LOST: EventRecord = { name: 'journal.gap', code: 'ERR_LEDGER_CORRUPT', detail: { lost: 'unknown' } };

/** What is read, with the clock moving on while it waits. */
async function read(journal: JournalOnDisk, withUses: boolean): Promise<string[]> {
  let claims: readonly Claim[] | undefined;
  const { clock, folder } = journal;
  const reading = readClaims(readBack(folder, clock), { nowUnixMs: clock.wall().unixMs, withUses });
  void reading.then((all) => (claims = all));
  for (let pages = 0; claims === undefined && pages < 50; pages++) await journal.clock.advance(1);
  return (await reading).map(({ record: { name, credentialId, holderId, detail } }) =>
    [name, credentialId ?? holderId, detail?.['uses'] ?? detail?.['counts']]
      .filter((each) => each !== undefined)
      .join(' '),
  );
}

t.test('counts of uses are read back to where all were told again, however long ago that was', async (t) => {
  const journal = await JournalOnDisk.create(t);
  const quiet = Array.from({ length: 250 }, () => opened);
  await journal.write(1, [used('c0', 1)], [told(1, 'c0=1'), used('c1', 7), told(2, 'c1=6', 'true')], [used('c1', 8)]);
  await journal.write(2, quiet, [moved('h1')], quiet);
  await journal.clock.advance(CLAIM_MEMORY_MS + 1_000);
  await journal.write(3, [used('c0', 2), moved('h2')]);
  t.same(await read(journal, true), [
    'use_limit.restated c0=1',
    'use_limit.changed c1 7',
    'use_limit.restated c1=6',
    'use_limit.changed c1 8',
    'use_limit.changed c0 2',
    'area.moved h2',
  ]);
  t.same(await read(journal, false), ['use_limit.changed c0 2', 'area.moved h2'], 'where nothing is limited');
});

t.test(
  'counts that were never told again are read to the beginning, and a statement that was cut short is no end',
  async (t) => {
    const journal = await JournalOnDisk.create(t);
    await journal.write(1, [used('c0', 1)], [LOST], [told(1, 'c0=1')]);
    await journal.clock.advance(CLAIM_MEMORY_MS + 1_000);
    await journal.write(2, [used('c0', 2)]);
    t.same(await read(journal, true), [
      'use_limit.changed c0 1',
      'journal.gap',
      'use_limit.restated c0=1',
      'use_limit.changed c0 2',
    ]);
  },
);
