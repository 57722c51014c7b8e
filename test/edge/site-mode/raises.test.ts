import fc from 'fast-check';
import t from 'tap';
import type { ModeClaim } from '@sparc/edge/site-mode';
import {
  FIRE_HEARD_LATE_MS,
  foldMode,
  isFireAt,
  isLockedDown,
  RAISED_ANEW_AFTER_MS,
  RAISES_OF_ONE_MAX,
  RELEASE_RETRY_MS,
  RELEASES_MAX,
  threatLevel,
} from '@sparc/edge/site-mode';
import type { Door } from '@sparc/protocol/policy';
import { checkAsyncProperty } from '../../support/property.js';
import { CAUSE, idOf, MeshRun, NORTH, raise, raisedAt, release, SOUTH } from './mode-run.js';

const place = (more: Partial<Door> = {}, areas: string[] = []) => ({
  door: {
    id: 'front',
    name: 'Front',
    lock: { output: 'lock', type: 'failSecure' as const },
    onGatewayLoss: 'relock' as const,
    ...more,
  },
  areas,
});

t.test('a directive is carried out once, and its record names it and the entry that carries it', async (t) => {
  const run = new MeshRun();
  const lockdown = raise(1, { scope: ['lab', 'front'] });
  t.equal(await run.keeper.apply(lockdown), 'applied');
  t.equal(await run.keeper.apply(lockdown), 'known');
  t.equal(await run.restart().keeper.apply(lockdown), 'known');
  t.same(run.records, [
    { name: 'site.lockdown', detail: { by: 'Ada', raise: idOf(1), scope: 'lab front', directive: idOf(1) } },
  ]);
  t.equal(await run.keeper.apply(release(2, [1])), 'applied');
  t.equal(await run.keeper.apply(release(3, [1])), 'known');
  t.same(run.records.slice(1), [
    {
      name: 'site.lockdown_ended',
      causeId: await CAUSE,
      detail: { by: 'Ada', raises: idOf(1), directive: idOf(2) },
    },
  ]);
  t.same(run.standing, []);
});

t.test(
  'what is raised is in force before anything is waited for, and a release is not until it is recorded',
  async (t) => {
    const run = new MeshRun();
    const applied = run.keeper.apply(raise(1));
    t.ok(isLockedDown(run.keeper.mode));
    await applied;
    run.isJournalDown = true;
    const released = run.keeper.apply(release(2, [1]));
    await run.clock.advance(10 * RELEASE_RETRY_MS);
    t.ok(isLockedDown(run.keeper.mode));
    run.isJournalDown = false;
    await run.clock.advance(RELEASE_RETRY_MS);
    t.equal(await released, 'applied');
    t.notOk(isLockedDown(run.keeper.mode));
  },
);

t.test('a release that waits for the journal ends with its gateway', async (t) => {
  const run = new MeshRun();
  await run.keeper.apply(raise(1));
  run.isJournalDown = true;
  const released = t.rejects(run.keeper.apply(release(2, [1])), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  run.keeper.stop();
  await run.clock.advance(RELEASE_RETRY_MS);
  await released;
});

t.test('a raise that comes after its release never acts, not after a restart either', async (t) => {
  const run = new MeshRun();
  t.equal(await run.keeper.apply(release(2, [1, 3])), 'applied');
  t.same(run.names, ['site.released']);
  t.equal(await run.keeper.apply(raise(1)), 'released');
  run.keeper.heard(raisedAt(SOUTH, 4, 3));
  const later = run.restart();
  later.keeper.heard(raisedAt(SOUTH, 4, 3));
  t.same([run.standing, later.standing], [[], []]);
  t.same(later.records, []);
});

t.test('the highest raise whose scope covers a door is in force there', async (t) => {
  const { keeper } = new MeshRun();
  await keeper.apply(raise(1, { what: 'threat', level: 4, scope: ['lab'] }));
  await keeper.apply(raise(2, { what: 'threat', level: 2 }));
  await keeper.apply(raise(3, { scope: ['side'] }));
  const levels = () => [
    threatLevel(keeper.mode),
    threatLevel(keeper.mode, place()),
    threatLevel(keeper.mode, place({}, ['lab'])),
  ];
  t.same(levels(), [2, 2, 4]);
  t.same([isLockedDown(keeper.mode), isLockedDown(keeper.mode, place())], [false, false]);
  t.ok(isLockedDown(keeper.mode, place({ id: 'side' })));
  t.ok(isLockedDown(keeper.mode, place({}, ['side'])));
  await keeper.apply(raise(4, { what: 'threat', level: 1, instead: [idOf(1), idOf(2)] }));
  t.same(levels(), [1, 1, 1]);
});

t.test('an operator with a scope ends no raise that reaches beyond it, whichever comes first', async (t) => {
  const whole = raise(1);
  const beyond = raise(2, { scope: ['lab', 'hall'] });
  const inside = raise(3, { scope: ['lab'] });
  const ended = release(4, [1, 2, 3], { within: ['lab', 'vault'] });
  for (const acts of [
    [whole, beyond, inside, ended],
    [ended, inside, beyond, whole],
  ]) {
    const { keeper } = new MeshRun();
    for (const act of acts) await keeper.apply(act);
    t.same(keeper.mode.raises.map(({ id }) => id).sort(), [idOf(1), idOf(2)]);
  }
});

t.test('in a mesh whoever has no key raises, and lowers nothing', async (t) => {
  const { keeper, names } = new MeshRun();
  await keeper.order({ kind: 'lockdown' }, 'Bea');
  await keeper.order({ kind: 'lockdown' }, 'Bea');
  await keeper.order({ kind: 'threatLevel', level: 3 }, 'Bea');
  t.same(names, []);
  for (const order of [{ kind: 'endLockdown' }, { kind: 'threatLevel', level: 2 }] as const) {
    await t.rejects(keeper.order(order, 'Bea'), { code: 'ERR_GATEWAY_KEY_REQUIRED' });
  }
  t.ok(isLockedDown(keeper.mode));
  t.equal(threatLevel(keeper.mode), 3);
  const ids = keeper.mode.raises.map(({ id }) => id);
  await keeper.apply({ ...release(1, []), raises: ids });
  t.same(keeper.mode.raises, []);
});

t.test('what a rule raises stands beside what others raised, once, and lowers nothing', async (t) => {
  const run = new MeshRun();
  await run.keeper.apply(raise(1));
  await run.keeper.apply(raise(2, { what: 'threat', level: 4 }));
  for (const level of [3, 2, 3]) {
    await run.keeper.order({ kind: 'raise', what: 'lockdown' }, 'rule:panic');
    await run.keeper.order({ kind: 'raise', what: 'threat', level }, 'rule:panic');
  }
  t.equal(threatLevel(run.keeper.mode), 4);
  await run.keeper.apply(release(3, [1, 2]));
  t.equal(threatLevel(run.keeper.mode), 3);
  t.ok(isLockedDown(run.keeper.mode));
  t.equal(run.records.filter(({ detail }) => detail?.['by'] === 'rule:panic').length, 2);
});

t.test(
  'what each gateway raises by the same rule under one id stands once, and is over with one release',
  async (t) => {
    const shared = { id: idOf(5), isForeseeable: false };
    const order = { kind: 'raise', what: 'lockdown', shared } as const;
    const heard = raisedAt(SOUTH, 4, 5);
    const theirs = { ...heard, record: { ...heard.record, detail: { by: 'rule:panic', raise: idOf(5) } } };
    for (const isOwnFirst of [true, false]) {
      const run = new MeshRun();
      const own = () => run.keeper.order(order, 'rule:panic');
      if (isOwnFirst) await own();
      run.keeper.heard(theirs);
      run.keeper.heard({ ...theirs, id: { ...theirs.id, author: NORTH } });
      if (!isOwnFirst) await own();
      await own();
      t.same(new Set(run.standing), new Set([idOf(5)]));
      t.equal(run.records.length, isOwnFirst ? 1 : 2, 'one of each who said it first');
      run.keeper.expelled(SOUTH, []);
      run.keeper.expelled(NORTH, []);
      t.same(run.standing, [idOf(5)], 'it stands by itself');
      await run.keeper.apply(release(6, [5]));
      t.same(run.standing, []);
      await own();
      run.keeper.heard({ ...theirs, hlc: { unixMs: 2_000_000, counter: 0 } });
      t.same(run.standing, [], 'and does not come back');
    }
  },
);

t.test('another raise under the id of a rule counts for itself', async (t) => {
  const run = new MeshRun();
  await run.keeper.order(
    { kind: 'raise', what: 'threat', level: 2, shared: { id: idOf(5), isForeseeable: false } },
    'rule:x',
  );
  run.keeper.heard(raisedAt(SOUTH, 4, 5));
  t.ok(isLockedDown(run.keeper.mode));
  t.same(run.names, ['site.threat_level', 'site.lockdown']);
});

t.test('what could be foreseen is raised, also where somebody had its id released before', async (t) => {
  const run = new MeshRun();
  await run.keeper.apply(release(6, [5]));
  await run.keeper.order(
    { kind: 'raise', what: 'lockdown', shared: { id: idOf(5), isForeseeable: true } },
    'rule:night',
  );
  t.ok(isLockedDown(run.keeper.mode));
});

t.test('what several raise late, after a release, one more release ends at all of them', async (t) => {
  const late = [new MeshRun(), new MeshRun()] as const;
  const night = { kind: 'raise', what: 'lockdown', shared: { id: idOf(5), isForeseeable: true } } as const;
  for (const { keeper } of late) {
    await keeper.apply(release(6, [5]));
    await keeper.order(night, 'rule:night');
  }
  const [again = ''] = late[0].standing;
  t.same(late[1].standing, [again]);
  for (const { keeper } of late) await keeper.apply({ ...release(7, []), raises: [again] });
  t.same([...late[0].standing, ...late[1].standing], []);
  await late[0].keeper.order(night, 'rule:night');
  t.equal(late[0].standing.length, 1, 'nor does anybody silence it by having that released before');
});

t.test('what a gateway raises counts at the others, but for what it does for itself', async (t) => {
  const run = new MeshRun();
  const { keeper } = run;
  const panic = raisedAt(SOUTH, 4, 1);
  keeper.heard(panic);
  keeper.heard(panic);
  t.same(run.records, [{ ...panic.record, causeId: panic.id }]);
  t.ok(isLockedDown(keeper.mode));
  const detail = panic.record.detail ?? {};
  for (const [at, record] of [
    { causeId: panic.id },
    { detail: { ...detail, alone: 'true' } },
    { detail: { by: 'Bea' } },
    { detail: { by: 'Ada', raise: idOf(2), directive: idOf(2) } },
    { detail: { ...detail, raise: '../7' } },
    { name: 'fire.evacuation' as const },
    { name: 'site.threat_level' as const, detail: { ...detail, level: '6' } },
    { name: 'site.threat_level' as const, detail: { ...detail, level: '0' } },
    { name: 'site.threat_level' as const, detail: { ...detail, raises: idOf(1), level: '1' } },
    { name: 'site.lockdown_ended' as const, detail: { by: 'Eve', raises: idOf(1) } },
  ].entries()) {
    keeper.heard(raisedAt(SOUTH, 10 + at, 2, record));
    t.same(run.standing, [idOf(1)], JSON.stringify(record));
  }
});

t.test('nobody suppresses a raise by taking its id first', async (t) => {
  const { keeper } = new MeshRun();
  const record = { name: 'site.threat_level' as const, detail: { by: 'Eve', raise: idOf(1), level: '1' } };
  keeper.heard(raisedAt(SOUTH, 4, 1, record));
  keeper.heard(raisedAt(NORTH, 4, 1));
  t.ok(isLockedDown(keeper.mode));
  t.equal(await keeper.apply(raise(1, { scope: ['lab'] })), 'applied');
  t.equal(keeper.mode.raises.length, 3);
  await keeper.apply(release(2, [1]));
  t.same(keeper.mode.raises, []);
});

t.test('what one gateway or one operator may have standing is bounded, and so are the releases', async (t) => {
  const { keeper } = new MeshRun();
  for (let at = 0; at <= RAISES_OF_ONE_MAX; at++) keeper.heard(raisedAt(SOUTH, at, 1_000 + at));
  t.equal(keeper.mode.raises.length, RAISES_OF_ONE_MAX);
  for (let at = 0; at < RAISES_OF_ONE_MAX; at++) await keeper.apply(raise(at));
  await t.rejects(keeper.apply(raise(999)), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  t.equal(await keeper.apply(raise(999, { by: 'Bea' })), 'applied');
  for (let at = 0; at <= RELEASES_MAX; at += 32) {
    await keeper.apply(
      release(
        0,
        Array.from({ length: 32 }, (_, each) => 10_000 + at + each),
      ),
    );
  }
  t.equal(keeper.mode.released.length, RELEASES_MAX);
});

t.test('a fire alarm of another gateway releases the doors that name its input, and no others', async (t) => {
  const run = new MeshRun();
  const alarm = raisedAt(SOUTH, 4, 1, { name: 'fire.alarm', detail: { input: 'panel', raise: idOf(1) } });
  run.keeper.heard(alarm);
  let having = SOUTH;
  const hasInput = (gateway: string, input: string) => gateway === having && input === 'panel';
  const isFire = (fireAlarms?: string[], fireRelease: 'both' | 'none' = 'both') =>
    isFireAt(run.keeper.mode, place({ fireRelease, ...(fireAlarms && { fireAlarms }) }), hasInput);
  const seen = () => [isFire(), isFire(['panel']), isFire(['other']), isFire(['panel'], 'none')];
  t.same(seen(), [false, true, false, false]);
  having = NORTH;
  t.same(seen(), [false, false, false, false], 'and none where another gateway has it');
  having = SOUTH;
  await run.keeper.order({ kind: 'endFire' }, 'Bea');
  t.same(seen(), [false, false, false, false], 'a named person ends it here');
  run.restart().keeper.heard(alarm);
  t.same(seen(), [false, false, false, false]);
  run.keeper.fireInput('panel', true);
  t.same(seen(), [true, true, false, false]);
});

t.test('an input that is active raises again what a release ended', async (t) => {
  const { keeper, records } = new MeshRun();
  keeper.fireInput('panel', true);
  const [first] = keeper.mode.raises;
  const ids = (first === undefined ? [] : [first.id]) as readonly string[];
  await keeper.apply({ ...release(1, []), raises: ids });
  t.match(keeper.mode.raises, [{ what: 'fire', input: 'panel' }]);
  t.not(keeper.mode.raises[0]?.id, first?.id);
  t.same(
    records.map(({ name }) => name),
    ['fire.alarm', 'fire.ended', 'fire.alarm'],
  );
  keeper.fireInput('panel', false);
  await keeper.apply({ ...release(2, []), raises: keeper.mode.raises.map(({ id }) => id) });
  t.same(keeper.mode.raises, []);
});

const head = (sequence: number) => ({
  site: 'harbour',
  author: new Uint8Array(32),
  epoch: { counter: 1, random: new Uint8Array(8) },
  sequence,
  hash: new Uint8Array(32),
  signature: new Uint8Array(64),
});

t.test('of what an expelled gateway raised counts what leads to the attested heads', async (t) => {
  const run = new MeshRun();
  const { keeper } = run;
  for (const sequence of [4, 5, 6]) keeper.heard(raisedAt(SOUTH, sequence, sequence));
  keeper.heard(raisedAt(NORTH, 6, 7));
  keeper.expelled(SOUTH, [head(5)]);
  keeper.heard(raisedAt(SOUTH, 8, 8));
  t.same(run.standing, [4, 5, 7].map(idOf));
});

t.test('of two expulsions of one gateway what leads to the heads of one counts, in either order', async (t) => {
  for (const heads of [
    [[head(5)], []],
    [[], [head(5)]],
    [[head(4)], [head(5)]],
    [[head(5)], [head(4)]],
  ]) {
    const run = new MeshRun();
    const hear = () => {
      for (const sequence of [4, 5, 6]) run.keeper.heard(raisedAt(SOUTH, sequence, sequence));
    };
    hear();
    for (const each of heads) run.keeper.expelled(SOUTH, each);
    // What counts is told anew.
    hear();
    t.same(run.standing, [4, 5].map(idOf));
  }
});

t.test('what an operator had no right to raise ends, recorded with the reason', async (t) => {
  const run = new MeshRun();
  await run.keeper.apply(raise(1));
  run.keeper.retract(idOf(1), 'ERR_DIRECTIVE_NOT_ENTITLED');
  await run.clock.settle();
  t.same(run.standing, []);
  t.match(run.records.at(-1), { name: 'site.lockdown_ended', code: 'ERR_DIRECTIVE_NOT_ENTITLED' });
});

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
const ACTS = [
  raise(1),
  raise(2, { what: 'threat', level: 3, scope: ['lab'] }),
  raise(3, { what: 'threat', level: 2, instead: [idOf(2), idOf(5)] }),
  raise(4, { what: 'evacuation', by: 'Bea', instead: [idOf(1)] }),
  raisedAt(NORTH, 3, 5),
  raisedAt(SOUTH, 3, 6, { name: 'fire.alarm', detail: { input: 'panel', raise: idOf(6) } }),
  raisedAt(SOUTH, 4, 7, { name: 'site.threat_level', detail: { by: 'rule:x', raise: idOf(7), level: '5' } }),
  raisedAt(SOUTH, 5, 7),
  raisedAt(NORTH, 4, 9, { name: 'site.lockdown', detail: { by: 'rule:5', raise: idOf(9) } }),
  release(20, [3, 7]),
  release(21, [2, 4], { within: ['lab'] }),
  release(22, [6, 99]),
  release(23, [4]),
  release(24, [9]),
];

t.test('whatever the order in which raises and releases arrive, and however often, the mode is the same', async (t) => {
  const arrival = fc
    .subarray(ACTS, { minLength: 1 })
    .chain((some) =>
      fc.tuple(
        fc.shuffledSubarray(some, { minLength: some.length }),
        fc.shuffledSubarray(some, { minLength: some.length }),
        fc.subarray(some),
        fc.nat(some.length),
      ),
    );
  const end = async (acts: typeof ACTS, restartAt: number) => {
    let run = new MeshRun();
    for (const [at, act] of acts.entries()) {
      await run.clock.settle();
      if (at === restartAt) run = run.restart();
      if ('kind' in act) await run.keeper.apply(act);
      else run.keeper.heard(act);
    }
    const { raises } = run.keeper.mode;
    return raises.map((each) => JSON.stringify(Object.entries(each).sort())).sort();
  };
  await checkAsyncProperty(
    fc.asyncProperty(arrival, async ([one, other, again, restartAt]) => {
      t.strictSame(await end([...other, ...again], restartAt), await end(one, -1));
    }),
    200,
  );
});
