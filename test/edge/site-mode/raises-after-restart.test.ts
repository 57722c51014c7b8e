import t from 'tap';
import { FIRE_HEARD_LATE_MS, RAISED_ANEW_AFTER_MS } from '@sparc/edge/site-mode';
import { foldMode, RAISES_OF_ONE_MAX, RELEASES_MAX, type ModeClaim } from '@sparc/protocol/site-mode';
import { idOf, MeshRun, NORTH, raise, raisedAt, release, SOUTH } from './mode-run.js';

t.test('a crash between the record of a raise and its file leaves it in force, whoever raised it', async (t) => {
  const before = new MeshRun();
  await before.keeper.apply(raise(1, { scope: ['lab'] }));
  await before.keeper.apply(release(2, [1]));
  await before.clock.settle();
  const disk = before.holdDisk();
  void before.keeper.apply(raise(3));
  void before.keeper.order({ kind: 'lockdown' }, 'Bea');
  before.keeper.fireInput('panel', true);
  void before.keeper.apply(raise(4, { what: 'threat', level: 2 }));
  const told = before.records.map((record) => ({ record, wallUnixMs: 5 }));
  t.same(disk.kept?.raises, [], 'the file has none of it');

  const after = new MeshRun(disk, told);
  await after.clock.settle();
  t.same(after.standing, before.standing);
  t.same(after.names, ['site.mode_restored']);
  t.equal(await after.keeper.apply(raise(1, { scope: ['lab'] })), 'released');
  t.match(disk.kept?.raises, { length: after.standing.length }, 'and the file has it now');
  const again = new MeshRun(disk, [...told, ...after.records.map((record) => ({ record, wallUnixMs: 6 }))]);
  await again.clock.settle();
  t.same([again.standing, again.names], [before.standing, []]);
});

t.test(
  'a crash between the file of a raise and its record is made good: others hear of it after the restart',
  async (t) => {
    const run = new MeshRun();
    run.keeper.fireInput('panel', true);
    await run.clock.advance(1);
    const [alarm] = run.records;
    const told = { record: { name: 'fire.alarm', detail: alarm?.detail ?? {} }, wallUnixMs: 3 } as const;
    for (const [recorded, records] of [
      [[], [alarm]],
      [[told], []],
    ] as const) {
      const next = new MeshRun(run.disk, recorded);
      await next.clock.advance(1);
      t.same(next.records, records);
      t.equal(next.standing.length, 1);
    }
  },
);

t.test('a directed raise is recorded at once, and acknowledged when a restart will know of it', async (t) => {
  const run = new MeshRun();
  run.holdDisk();
  let isApplied = false;
  void run.keeper.apply(raise(1)).then(() => (isApplied = true));
  t.same(run.names, ['site.lockdown']);
  await run.clock.settle();
  t.notOk(isApplied);
  run.releaseDisk();
  await run.clock.settle();
  t.ok(isApplied);
});

t.test('what an operator had no right to raise stays ended after a restart, and may be raised again', async (t) => {
  const before = new MeshRun();
  await before.keeper.apply(raise(1));
  before.keeper.retract(idOf(1), 'ERR_DIRECTIVE_NOT_ENTITLED');
  await before.clock.settle();
  const told = before.records.map((record) => ({ record, wallUnixMs: 5 }));
  for (const disk of [before.disk, { kept: undefined }]) {
    const after = new MeshRun(disk, told);
    await after.clock.settle();
    t.same(after.standing, []);
    t.equal(await after.keeper.apply(raise(1)), 'applied');
  }
});

t.test('the records of a gateway tell what its file told, also those of an earlier version', async (t) => {
  const run = new MeshRun();
  const { keeper } = run;
  await keeper.apply(raise(1, { scope: ['lab'] }));
  await keeper.apply(raise(2, { what: 'threat', level: 3 }));
  await keeper.apply(raise(3, { what: 'threat', level: 1, instead: [idOf(2)] }));
  await keeper.apply(release(4, [1, 9], { within: ['hall'] }));
  await keeper.order({ kind: 'evacuate' }, 'Bea');
  keeper.fireInput('panel', true);
  keeper.heard(raisedAt(SOUTH, 4, 5));
  const { raises, released } = foldMode(run.records.map((record) => ({ record, wallUnixMs: 5 })));
  const told = ({ atUnixMs: _at, ...rest }: (typeof raises)[number]) => rest;
  t.same(raises.map(told), keeper.mode.raises.map(told));
  t.same(released, keeper.mode.released);

  const earlier = (name: 'site.lockdown' | 'site.lockdown_ended', sequence: number): ModeClaim => ({
    id: { author: NORTH, epoch: 1, sequence },
    record: { name, detail: { by: 'Ada' } },
    wallUnixMs: 5,
  });
  const level = { name: 'site.threat_level' as const, detail: { by: 'Ada', from: '0', to: '3' } };
  const old = [earlier('site.lockdown', 1), { ...earlier('site.lockdown', 2), record: level }];
  t.match(foldMode(old).raises, [
    { what: 'lockdown', by: 'Ada', id: /^[0-9a-f]{32}$/ },
    { what: 'threat', level: 3 },
  ]);
  t.match(foldMode([...old, earlier('site.lockdown_ended', 3)]).raises, [{ what: 'threat' }]);
});

const again = (author: string, sequence: number, number: number) =>
  raisedAt(author, sequence, number, { detail: { by: 'rule:panic', raise: idOf(number) } });

t.test(
  'what was released elsewhere is raised anew by the next press, and takes the place of the press before',
  async (t) => {
    const south = new MeshRun();
    await south.keeper.order({ kind: 'lockdown' }, 'rule:panic');
    await south.keeper.order({ kind: 'lockdown' }, 'rule:panic');
    t.equal(south.records.length, 1, 'a key that bounces raises once');
    await south.clock.advance(RAISED_ANEW_AFTER_MS);
    await south.keeper.order({ kind: 'lockdown' }, 'rule:panic');
    south.keeper.fireInput('panel', true);
    south.keeper.fireInput('panel', false);
    await south.clock.advance(RAISED_ANEW_AFTER_MS);
    south.keeper.fireInput('panel', true);
    t.same(south.names, ['site.lockdown', 'site.lockdown', 'fire.alarm', 'fire.alarm']);
    t.equal(south.standing.length, 2);
    t.notOk(south.standing.includes(south.records[0]?.detail?.['raise'] ?? ''));

    const { keeper } = new MeshRun();
    keeper.heard(again(SOUTH, 4, 1));
    await keeper.apply(release(20, [1]));
    for (let number = 2; number <= RAISES_OF_ONE_MAX + 2; number++) keeper.heard(again(SOUTH, 4 + number, number));
    t.same(
      keeper.mode.raises.map(({ id }) => id),
      [idOf(RAISES_OF_ONE_MAX + 2)],
    );
  },
);

t.test('what was raised before and is over is told at each start, and never stands again', async (t) => {
  const run = new MeshRun();
  run.keeper.heard(again(SOUTH, 4, 1));
  for (let at = 0; at <= RELEASES_MAX; at += 32) {
    const ids = Array.from({ length: 32 }, (_, each) => idOf(1 + at + each));
    await run.keeper.apply({ ...release(at, []), raises: ids });
  }
  const later = run.restart();
  t.notOk(
    later.keeper.mode.released.some(({ id }) => id === idOf(1)),
    'the release is forgotten',
  );
  later.keeper.heard(again(SOUTH, 4, 1));
  t.same(later.standing, []);
  later.keeper.heard(again(SOUTH, 5, 9_999));
  t.same(later.standing, [idOf(9_999)]);
});

t.test('of the kinds that one gateway raises the newest are remembered, and older ones pass for over', async (t) => {
  const { keeper } = new MeshRun();
  const release1 = (at: number) => keeper.apply({ ...release(at, []), raises: [idOf(at)] });
  for (let at = 1; at <= RAISES_OF_ONE_MAX + 1; at++) {
    keeper.heard(raisedAt(SOUTH, at, at));
    await release1(at);
  }
  for (const at of [1, 2])
    keeper.heard(raisedAt(SOUTH, at, 5_000 + at, { detail: { by: `rule:${at}`, raise: idOf(5_000 + at) } }));
  keeper.heard(raisedAt(SOUTH, 1, 6_000));
  t.same(keeper.mode.raises, []);
  keeper.heard(raisedAt(SOUTH, 2, 6_001));
  t.equal(keeper.mode.raises.length, 1, 'what is of no kind that was heard and not older counts');
});

t.test(
  'a fire that was over where it was told, or is of long ago, releases nothing where it is first heard',
  async (t) => {
    const run = new MeshRun();
    const alarm = (sequence: number, number: number) =>
      raisedAt(SOUTH, sequence, number, { name: 'fire.alarm', detail: { input: 'panel', raise: idOf(number) } });
    run.keeper.fireEnded(raisedAt(SOUTH, 5, 0, { name: 'fire.ended', detail: { by: 'Bea' } }));
    run.keeper.fireEnded(raisedAt(SOUTH, 9, 0, { name: 'fire.ended', detail: { by: 'Ada', raises: idOf(99) } }));
    run.keeper.heard(alarm(4, 1));
    t.same([run.standing, run.names], [[], []]);
    run.keeper.heard(alarm(6, 2));
    t.same(run.standing, [idOf(2)], 'one that came after does');
    run.keeper.fireEnded(raisedAt(SOUTH, 7, 0, { name: 'fire.ended', detail: { by: 'Bea' } }));
    t.same(run.standing, [idOf(2)], 'and stands until somebody ends it here');

    const late = new MeshRun();
    await late.clock.advance(FIRE_HEARD_LATE_MS);
    late.keeper.heard(alarm(4, 1));
    late.keeper.heard(alarm(4, 1));
    t.same(late.standing, []);
    t.match(late.records, [{ name: 'fire.alarm_late', causeId: { author: SOUTH, sequence: 4 } }]);
    t.equal(late.records.length, 1);
  },
);

/** Raises 1 to 4 of operators, 5 to 9 of gateways, where 9 takes the place of 5; releases of any of them, and of one that never comes. */
