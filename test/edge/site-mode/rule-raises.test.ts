import { isLockedDown, threatLevel } from '@sparc/protocol/site-mode';
import t from 'tap';
import { idOf, MeshRun, NORTH, raise, raisedAt, release, SOUTH } from './mode-run.js';

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
