import fc from 'fast-check';
import t from 'tap';
import { RELEASE_RETRY_MS } from '@sparc/edge/site-mode';
import type { Door } from '@sparc/protocol/policy';
import { isFireAt, isLockedDown, RAISES_OF_ONE_MAX, RELEASES_MAX, threatLevel } from '@sparc/protocol/site-mode';
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

t.test('whoever releases much displaces no release of others, whatever comes after a restart', async (t) => {
  const run = new MeshRun();
  await run.keeper.apply(release(1, [20_000], { by: 'Bea' }));
  for (let at = 0; at <= 2 * RELEASES_MAX; at += 32) {
    const ids = Array.from({ length: 32 }, (_, each) => 30_000 + at + each);
    await run.keeper.apply(release(0, ids));
  }
  const later = run.restart();
  for (const { keeper } of [run, later]) {
    t.equal(keeper.mode.released.length, RELEASES_MAX);
    t.equal(await keeper.apply(raise(20_000)), 'released');
  }
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
