import t from 'tap';
import { AREA_MEMORY_MS, readClaims } from '@sparc/edge/passages';
import type { EventRecord } from '@sparc/protocol/events';
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
    await journal.clock.advance(AREA_MEMORY_MS + 1_000);
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
    const reading = readClaims(journal.folder, journal.clock, { before, withUses: false });
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
