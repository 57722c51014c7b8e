import t from 'tap';
import { Field } from '@sparc/edge/field';
import { CARDS, EIGHT_UNIX_MS, FieldSite, sitePolicy } from './field-site.js';
import { MemoryFieldBus } from '../../support/memory-field-bus.js';
import { MemoryJournal } from '../../support/memory-journal.js';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';

t.test('devices and buses are recorded when they change, with their codes', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.bus.bus('bus', true);
  site.bus.bus('bus', true);
  site.bus.bus('bus', false);
  site.bus.status('front-in', { link: 'offline', secure: false, reason: 'ERR_OSDP_LINE_DOWN' });
  site.bus.status('front-in', { link: 'connecting', secure: false });
  site.bus.status('front-in', { link: 'online' });
  site.bus.status('front-in', { tampered: true });
  site.bus.status('front-in', { tampered: true, powerFailed: true });
  site.bus.status('front-in');
  await site.clock.advance(100);
  t.same(site.news(), [
    'bus.up',
    'bus.down',
    'reader.offline',
    'reader.online',
    'reader.tamper',
    'reader.power_failed',
    'reader.tamper_clear',
    'reader.power_restored',
  ]);
  t.equal(site.record('bus.down').record.code, 'ERR_OSDP_LINE_DOWN');
  t.equal(site.record('reader.offline').record.code, 'ERR_OSDP_LINE_DOWN');
});

t.test(
  'losing Secure Channel is tamper until the reader is secure again; what else a bus alarms of is not',
  async (t) => {
    const site = await FieldSite.open();
    site.bus.status('front-in', { link: 'online', secure: true });
    await site.clock.advance(100);
    site.news();
    for (const code of [
      'ERR_OSDP_RESTARTED',
      'ERR_OSDP_SECURE_LOST',
      'ERR_OSDP_CLEAR_REPLY',
      'ERR_OSDP_MAC',
    ] as const) {
      site.bus.alarm('front-in', code);
      site.bus.alarm('front-in', code);
      site.bus.status('front-in', { link: 'connecting', secure: false, reason: code });
      await site.clock.advance(100);
      t.equal(site.field.snapshot().readers.find(({ deviceId }) => deviceId === 'front-in')?.tampered, true, code);
      site.bus.status('front-in', { link: 'online', secure: true });
      await site.clock.advance(100);
      t.same(site.news(), ['reader.tamper', 'reader.offline', 'reader.online', 'reader.tamper_clear'], code);
      t.match(site.record('reader.tamper').record, { deviceId: 'front-in', code });
    }
    site.bus.alarm('front-in', 'ERR_OSDP_ADDRESS_CONFLICT');
    await site.clock.advance(100);
    t.same(site.news(), ['reader.alarm']);
  },
);

t.test('a card over a tampered reader is denied', async (t) => {
  const site = await FieldSite.open();
  site.bus.status('front-in', { tampered: true });
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  t.equal(site.record('access.denied').record.reason, 'reader_untrusted');
});

t.test(
  'what a failed journal could not take comes in order when it returns, after the gap; the oldest are lost and counted',
  async (t) => {
    const site = await FieldSite.open();
    site.news();
    site.journal.failure = 'ERR_LEDGER_QUEUE_FULL';
    // One record more than are kept, and the first of them names the overflow.
    for (let at = 0; at < 10_001; at++) site.bus.bus(`bus-${at}`, true);
    await site.clock.advance(500);
    t.equal(site.field.snapshot().lateRecordsCount, 10_000);
    site.journal.failure = undefined;
    await site.clock.advance(5_000);
    const names = site.news();
    t.equal(names[0], 'journal.gap');
    t.same(site.record('journal.gap').record.detail, { lost: '1', late: '10000' });
    const late = site.journal.entries
      .filter(({ record }) => record.name === 'bus.up')
      .map(({ record }) => record.busId);
    t.equal(late.length, 10_000);
    t.same([late[0], late.at(-1)], ['bus-1', 'bus-10000']);
    t.ok(site.journal.entries.at(-1)?.record.detail?.['lateMs']);
  },
);

t.test('a read longer than any card is denied and recorded by its length, and holds nothing up', async (t) => {
  const site = await FieldSite.open();
  site.news();
  for (const reader of ['front-in', 'nowhere']) site.bus.card(reader, { bitCount: 600, bits: new Uint8Array(75) });
  await site.clock.advance(5_000);
  t.same(site.news(), ['access.denied', 'access.denied']);
  t.match(site.record('access.denied').record, { reason: 'point_unknown', detail: { bitCount: '600' } });
  t.match(site.journal.entries.at(-2)?.record, { reason: 'format_unknown', detail: { bitCount: '600' } });
  t.equal(site.shown('front-in'), 'denied');
});

t.test('a record that no journal can hold is given up, and nothing waits behind it', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.field.record({ name: 'gateway.started', detail: { name: 'x'.repeat(5_000) } });
  site.bus.bus('bus', true);
  await site.clock.advance(5_000);
  t.same(site.news(), ['bus.up']);
  t.equal(site.field.snapshot().journal.healthy, true);
  t.match(site.errors, [{ code: 'ERR_LEDGER_MALFORMED' }]);
});

t.test('a disk that returns slowly is told of each lost record once', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.journal.failure = 'ERR_LEDGER_WRITE_FAILED';
  let sentCount = 0;
  const send = () => site.bus.bus(`bus-${sentCount++}`, true);
  while (sentCount < 10_003) send();
  await site.clock.advance(500);
  site.journal.failure = undefined;
  site.journal.flushMs = 2_500;
  for (let second = 0; second < 60; second++) {
    for (let each = 0; each < 100; each++) send();
    await site.clock.advance(1_000);
  }
  await site.clock.advance(900_000);
  const lost = site.journal.entries.flatMap(({ record }) =>
    record.name === 'journal.gap' ? (record.detail?.['lost'] ?? '') : [],
  );
  const recordedCount = site.journal.names.filter((name) => name === 'bus.up').length;
  t.equal(
    lost.reduce((sum, count) => sum + Number(count), 0),
    sentCount - recordedCount,
  );
  t.same(
    lost.filter((count) => Number(count) <= 0),
    [],
  );
});

t.test('the alarm of a lost policy is recorded when the journal returns', async (t) => {
  const site = await FieldSite.open();
  site.news();
  site.journal.failure = 'ERR_LEDGER_STOPPED';
  site.field.usePolicy({ kind: 'none' });
  await site.clock.advance(500);
  site.journal.failure = undefined;
  site.bus.bus('bus', true);
  await site.clock.advance(5_000);
  t.same(site.news().sort(), ['bus.up', 'policy.lost']);
});

t.test('a stop in order is no failure of devices', async (t) => {
  const site = await FieldSite.open();
  site.news();
  await site.field.stop();
  await site.clock.advance(5_000);
  t.same(site.news(), []);
});

t.test('the snapshot is plain data that says what people look at', async (t) => {
  const site = await FieldSite.open();
  site.bus.bus('bus', true);
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  const snapshot = site.field.snapshot();
  t.same(JSON.parse(JSON.stringify(snapshot)), snapshot);
  t.match(snapshot, {
    site: { id: 'site', timeZone: 'UTC' },
    policy: { revision: 'r1', appliedAtUnixMs: EIGHT_UNIX_MS, confirmedAtUnixMs: EIGHT_UNIX_MS },
    clock: { quality: 'synced' },
    buses: [{ id: 'bus', up: true }],
    journal: { healthy: true, lastEntry: /^1\.\d+$/ },
    mode: { lockdown: false, threatLevel: 0, fires: [], raises: [] },
    suspendedRules: [],
    unread: [],
    lateRecordsCount: 0,
  });
  t.match(snapshot.doors[0], { id: 'front', mode: 'released', physical: 'closed', alarm: 'none', warnings: [] });
  t.match(snapshot.readers[0], {
    id: 'front-in-reader',
    accessPointId: 'front-in',
    link: 'online',
    indication: 'granted',
  });
  await site.clock.advance(10_000);
  t.match(site.field.snapshot().doors[0], { mode: 'locked' });
  t.match(site.field.snapshot().readers[0], { indication: 'locked' });
});

t.test('listeners hear of every entry and of changes in pauses, and their errors harm nothing', async (t) => {
  const clock = new VirtualClock();
  const fieldBus = new MemoryFieldBus(clock);
  const journal = new MemoryJournal(clock);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const heard: string[] = [];
  let changesCount = 0;
  const field = new Field(
    { clock, fieldBus, journal, log, random: new SeededRandom(1) },
    {
      onRecord: ({ record }) => {
        heard.push(record.name);
        throw new Error('a defect of the listener');
      },
      onChange: () => (changesCount += 1),
    },
  );
  field.usePolicy(sitePolicy());
  field.start();
  for (let at = 0; at < 100; at++) fieldBus.bus('bus', at % 2 === 0);
  await clock.advance(1_000);
  t.equal(heard.length, 101);
  t.same(heard, journal.names);
  t.ok(changesCount >= 1 && changesCount <= 3, `${changesCount} changes`);
  await field.stop();
  await field.stop();
});
