import t from 'tap';
import { MeshJournal, NOTICE_PAUSE_MS, NOTICES_AT_ONCE_MAX } from '@sparc/edge/gateway';
import type { EventDraft } from '@sparc/protocol/events';
import { VirtualClock } from '@sparc/simulator/world';

const NOTICE = { kind: 'found', neighbour: 'ab'.repeat(32), name: 'gate' };

function setUp() {
  const clock = new VirtualClock();
  const recorded: EventDraft[] = [];
  const warnings: string[] = [];
  const warn = (_fields: object, message: string) => void warnings.push(message);
  const journal = new MeshJournal({
    clock,
    log: { info: () => undefined, warn, error: () => undefined },
    record: (event) => recorded.push(event),
  });
  return { clock, journal, recorded, warnings };
}

t.test('what the site process tells of the mesh is recorded', async (t) => {
  const { journal, recorded, warnings } = setUp();
  journal.take(NOTICE);
  t.match(recorded, [{ name: 'mesh.neighbour_found' }]);
  t.same(warnings, []);
});

t.test('a site process that tells without end fills no journal, and is heard again later', async (t) => {
  const { clock, journal, recorded, warnings } = setUp();
  for (let count = 0; count < 1_000; count++) journal.take(NOTICE);
  t.equal(recorded.length, NOTICES_AT_ONCE_MAX);
  t.equal(warnings.length, 1, 'it is said once');
  for (let count = 0; count < 60; count++) {
    await clock.advance(1_000);
    journal.take(NOTICE);
  }
  t.equal(recorded.length, NOTICES_AT_ONCE_MAX + 60_000 / NOTICE_PAUSE_MS);
  await clock.advance(NOTICES_AT_ONCE_MAX * NOTICE_PAUSE_MS);
  for (let count = 0; count < 1_000; count++) journal.take(NOTICE);
  t.equal(recorded.length, 2 * NOTICES_AT_ONCE_MAX + 60_000 / NOTICE_PAUSE_MS);
});

t.test('a link that comes and goes for days silences no alarm, and alarms without end hide no link', async (t) => {
  const { clock, journal, recorded } = setUp();
  const expelled = { kind: 'expelled', neighbour: 'ab'.repeat(32), name: 'gate', epoch: 2 };
  for (let count = 0; count < 1_000; count++) {
    journal.take({ ...NOTICE, kind: count % 2 === 0 ? 'lost' : 'found' });
    await clock.advance(5_000);
  }
  journal.take(expelled);
  t.equal(recorded.at(-1)?.name, 'mesh.gateway_expelled');
  for (let count = 0; count < 1_000; count++) journal.take(expelled);
  await clock.advance(NOTICE_PAUSE_MS);
  journal.take(NOTICE);
  t.equal(recorded.at(-1)?.name, 'mesh.neighbour_found');
});

t.test('what cannot be true is not recorded, and costs its turn', async (t) => {
  const { journal, recorded, warnings } = setUp();
  for (let count = 0; count < NOTICES_AT_ONCE_MAX; count++) journal.take({ kind: 'forked' });
  journal.take(undefined);
  t.same(recorded, []);
  t.equal(warnings.length, 2, 'each kind of trouble is said once');
});
