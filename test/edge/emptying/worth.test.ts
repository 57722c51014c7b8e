import t from 'tap';
import { LASTING, worthOf } from '@sparc/edge/emptying';
import { HEARD_EVENTS } from '@sparc/edge/heard';
import { isModeClaim } from '@sparc/protocol/site-mode';
import { encodeEvent, EntryContent, EpochBody, type StoredRecord } from '@sparc/protocol/ledger';
import { EVENTS } from '@sparc/protocol/events';

/** What counts for no longer than everybody keeps everything: claims of passages, and runs of rules. */
const SHORT: readonly string[] = [
  'area.moved',
  'area.left_anonymously',
  'area.presence_expired',
  'apb.forgiven',
  'journal.gap',
  'linkage.ran',
  'linkage.carried_out',
];

const contentOf = (kind: string, body: Uint8Array): Uint8Array =>
  EntryContent.encode({ kind, hlc: { unixMs: 1, counter: 0 }, wallUnixMs: 1, timeQuality: 'synced', body });
const worthOfEvent = (record: StoredRecord) => worthOf(contentOf('event', encodeEvent(record)));

t.test('whatever a field hears of others lasts, is said at every start, or counts for seven days', (t) => {
  const known = new Set<string>([...LASTING, ...SHORT, 'gateway.started']);
  t.same(
    HEARD_EVENTS.filter((name) => !known.has(name)),
    [],
  );
  t.end();
});

t.test('whatever is folded to the mode of the site lasts', (t) => {
  const lasting = new Set<string>(LASTING);
  const names = Object.keys(EVENTS).filter((name) => isModeClaim({ name } as never));
  t.ok(names.length > 5);
  t.same(
    names.filter((name) => !lasting.has(name)),
    [],
  );
  t.end();
});

t.test('what this version cannot read may count for ever', (t) => {
  t.equal(worthOfEvent({ name: 'door.opened', doorId: 'front' }), 'passing');
  t.equal(worthOfEvent({ name: 'gateway.started' }), 'start');
  t.equal(worthOfEvent({ name: 'site.released' }), 'lasting');
  t.equal(worthOfEvent({ name: 'door.transported' }), 'lasting');
  t.equal(worthOf(contentOf('event', Uint8Array.of(255))), 'lasting');
  t.equal(worthOf(contentOf('treaty', Uint8Array.of())), 'lasting');
  t.equal(worthOf(contentOf('epoch', EpochBody.encode({ predecessorLost: false }))), 'passing');
  t.end();
});
