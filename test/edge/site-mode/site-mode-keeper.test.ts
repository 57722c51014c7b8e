import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { EventRecord } from '@sparc/protocol/events';
import { foldMode, threatLevel, type ModeClaim } from '@sparc/protocol/site-mode';
import { readBack } from '@sparc/edge/ledger';
import { readMode, refused, SiteModeKeeper, type SiteMode } from '@sparc/edge/site-mode';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { writeRecords } from '../../support/journal.js';

const LOCKDOWN = { raises: [{ what: 'lockdown', by: 'Ada' }] };

/** A keeper whose disk and journal can hang or fail. */
class Run {
  readonly clock = new VirtualClock({ startUnixMs: 1_000_000 });
  readonly records: EventRecord[] = [];
  readonly committed: EventRecord[] = [];
  readonly saved: SiteMode[] = [];
  isBroken = false;
  isJournalDown = false;
  hold: Promise<void> = Promise.resolve();
  readonly keeper: SiteModeKeeper;

  constructor(load: () => SiteMode | undefined = () => undefined, recorded = async (): Promise<ModeClaim[]> => []) {
    this.keeper = new SiteModeKeeper({
      clock: this.clock,
      random: new SeededRandom(1),
      isInMesh: false,
      store: {
        load,
        save: async (mode) => {
          await this.hold;
          if (this.isBroken) throw new Error('ENOSPC');
          this.saved.push(mode);
        },
      },
      record: (event) => void this.records.push(event),
      commit: async (event, carryOut) => {
        if (this.isJournalDown) throw refused('no disk');
        this.committed.push(event);
        carryOut();
      },
      recorded,
      obstacle: () => undefined,
      isClockKnown: () => true,
      onChange: () => undefined,
      onFailure: () => undefined,
    });
  }

  static async started(...args: ConstructorParameters<typeof Run>): Promise<Run> {
    const run = new Run(...args);
    run.keeper.start();
    await run.clock.settle();
    return run;
  }

  get names(): string[] {
    return this.records.map(({ name }) => name);
  }
}

t.test('a lockdown is in force at once, and acknowledged when a restart will know of it', async (t) => {
  const run = await Run.started();
  let write: () => void = () => undefined;
  run.hold = new Promise((resolve) => (write = resolve));
  let isAcknowledged = false;
  const ordered = run.keeper.order({ kind: 'lockdown' }, 'Ada').then(() => (isAcknowledged = true));
  t.match(run.keeper.mode, LOCKDOWN);
  t.same(run.names, ['site.lockdown']);
  await run.clock.settle();
  t.notOk(isAcknowledged);
  write();
  await ordered;
  t.match(run.saved.at(-1), LOCKDOWN);
});

t.test('a disk that does not take an order is told to whoever gave it, and is one alarm until it does', async (t) => {
  const run = await Run.started();
  run.isBroken = true;
  await t.rejects(run.keeper.order({ kind: 'lockdown' }, 'Ada'), { code: 'ERR_GATEWAY_MODE_UNSAVED' });
  t.match(run.keeper.mode, LOCKDOWN, 'it is in force');
  run.keeper.fireInput('panel', true);
  await run.clock.advance(5_000);
  t.equal(run.names.filter((name) => name === 'site.mode_unsaved').length, 1);
  run.isBroken = false;
  await run.clock.advance(1_000);
  t.match(run.saved.at(-1), { raises: [{ what: 'lockdown' }, { what: 'fire', input: 'panel' }] });
  await run.keeper.order({ kind: 'threatLevel', level: 2 }, 'Ada');
  run.isBroken = true;
  run.keeper.fireInput('other', true);
  await run.clock.advance(5_000);
  t.equal(run.names.filter((name) => name === 'site.mode_unsaved').length, 2);
});

t.test('what lets in whom the mode kept out is recorded before it is so, and what keeps out is not', async (t) => {
  const run = await Run.started();
  const { keeper } = run;
  const front = (mode: 'blocked' | 'locked') => keeper.order({ kind: 'door', door: 'front', mode }, 'Ada');
  await keeper.order({ kind: 'threatLevel', level: 4 }, 'Ada');
  await front('locked');
  await front('blocked');
  t.same(run.committed, []);
  run.isJournalDown = true;
  await t.rejects(keeper.order({ kind: 'threatLevel', level: 3 }, 'Ada'), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  await t.rejects(front('locked'), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  t.match(keeper.mode, { raises: [{ level: 4 }], doors: { front: { mode: 'blocked' } } });
  run.isJournalDown = false;
  await keeper.order({ kind: 'threatLevel', level: 3 }, 'Ada');
  await front('locked');
  t.match(run.committed, [{ name: 'site.threat_level' }, { name: 'door.ordered' }]);
  t.equal(threatLevel(keeper.mode), 3);
  t.match(keeper.mode.doors, { front: { mode: 'locked' } });
});

const ID = { lockdown: '1'.repeat(32), level: '2'.repeat(32), fire: '3'.repeat(32) };
const lockdown: ModeClaim = {
  record: { name: 'site.lockdown', detail: { by: 'Ada', raise: ID.lockdown } },
  wallUnixMs: 5,
};
const level: ModeClaim = {
  record: { name: 'site.threat_level', detail: { by: 'Ada', from: '0', to: '3', raise: ID.level } },
  wallUnixMs: 6,
};
const fire: ModeClaim = { record: { name: 'fire.alarm', detail: { input: 'panel', raise: ID.fire } }, wallUnixMs: 7 };

t.test('a mode whose file is damaged or gone is taken from the journal, and saved', async (t) => {
  const damaged = () => {
    throw new Error('damaged');
  };
  for (const load of [damaged, () => undefined]) {
    const run = await Run.started(load, async () => [lockdown, level, fire]);
    const stood = {
      raises: [
        { id: ID.lockdown, what: 'lockdown', by: 'Ada', atUnixMs: 5 },
        { id: ID.level, what: 'threat', level: 3 },
        { id: ID.fire, what: 'fire', input: 'panel' },
      ],
    };
    t.match(run.keeper.mode, stood);
    t.match(run.saved.at(-1), stood);
    t.same(run.names, [...(load === damaged ? ['site.mode_lost'] : []), 'site.mode_restored']);
    t.same(run.records.at(-1)?.detail, { lockdown: 'true', threatLevel: '3', fires: '1' });
  }
});

t.test('what is ordered before the journal is read back comes after what it has', async (t) => {
  let read: (claims: ModeClaim[]) => void = () => undefined;
  const recorded = () => new Promise<ModeClaim[]>((resolve) => (read = resolve));
  const run = await Run.started(undefined, recorded);
  await run.keeper.order({ kind: 'endFire' }, 'Bea');
  await run.keeper.order({ kind: 'door', door: 'front', mode: 'blocked' }, 'Bea');
  read([lockdown, fire]);
  await run.clock.settle();
  t.match(run.keeper.mode, { raises: [{ id: ID.lockdown }], doors: { front: { mode: 'blocked' } } });
  t.equal(run.keeper.mode.raises.length, 1);
});

t.test('a first start records nothing of a mode, and a journal that cannot be read is an alarm', async (t) => {
  const first = await Run.started();
  t.same(first.names, []);
  t.match(first.saved, [{ raises: [] }], 'a file that is missing later was lost');
  const unread = await Run.started(undefined, () => Promise.reject(new Error('unreadable')));
  t.same(unread.names, ['site.mode_lost']);
  t.same(unread.saved, []);
});

t.test('the journal tells what stood, whatever was recorded and then refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-mode-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const entries = await writeRecords(folder, [
    { name: 'fire.evacuation', detail: { by: 'Old', raise: '4'.repeat(32) } },
    { name: 'fire.ended', detail: { by: 'Old' } },
    { name: 'site.threat_level', detail: { by: 'Old', from: '0', to: '5' } },
    lockdown.record,
    fire.record,
    level.record,
    { name: 'site.lockdown_ended', detail: { by: 'Bea' } },
  ]);
  const ended = entries.at(-1)?.id;
  if (ended === undefined) throw new Error('nothing was written');
  const END = { epoch: ended.epoch + 2, sequence: 0 };
  const stood = async () => {
    const clock = new VirtualClock();
    let claims: readonly ModeClaim[] | undefined;
    void readMode(readBack(folder, clock, END), 'all').then((all) => (claims = all));
    for (let pages = 0; claims === undefined && pages < 50; pages++) await clock.advance(1);
    return foldMode(claims ?? []).raises.map(({ id }) => id);
  };
  t.same(await stood(), [ID.fire, ID.level]);
  await writeRecords(folder, [{ name: 'order.refused', causeId: ended, detail: { by: 'Bea', order: 'endLockdown' } }]);
  t.same(await stood(), [ID.lockdown, ID.fire, ID.level]);
});
