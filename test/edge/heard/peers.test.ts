import t from 'tap';
import { Peers, type Heard, type HeardEntry } from '@sparc/edge/heard';
import { keyOf, member } from '../../support/roster.js';

const [SELF, TWO, THREE] = [keyOf(1), keyOf(2), keyOf(3)];

const started = (author: string, unixMs: number, buses: string): HeardEntry => ({
  id: { author, epoch: unixMs, sequence: 2 },
  hlc: { unixMs, counter: 0 },
  wallUnixMs: unixMs,
  timeQuality: 'synced',
  record: { name: 'gateway.started', detail: { name: 'gateway', buses } },
});
const heard = (entries: readonly HeardEntry[]): Heard => ({ delegations: [], entries, behind: [] });
const roster = (...seeds: readonly number[]): Heard => ({
  ...heard([]),
  roster: { self: SELF, authority: keyOf(9), members: seeds.map(member), expelled: [] },
});
const told = (peers: Peers) =>
  peers.all.map(({ key, buses, isReached }) => [key, buses && [...buses].join(), isReached]);

t.test('the others are those of the newest roster, and which buses they serve is known once they said so', (t) => {
  const peers = new Peers();
  peers.heard(heard([started(TWO, 5, 'b1')]));
  t.strictSame(told(peers), []);
  peers.heard(roster(1, 2, 3));
  t.strictSame(told(peers), [
    [TWO, 'b1', false],
    [THREE, undefined, false],
  ]);
  peers.heard(roster(1, 3));
  t.strictSame(told(peers), [[THREE, undefined, false]]);
  t.end();
});

t.test('the latest start of a gateway counts, in whatever order its starts are heard', (t) => {
  const peers = new Peers();
  peers.heard(roster(1, 2));
  peers.heard(heard([started(TWO, 7, 'b2 b3'), started(TWO, 5, 'b1')]));
  t.strictSame(told(peers), [[TWO, 'b2,b3', false]]);
  peers.heard(heard([started(TWO, 9, '')]));
  t.strictSame(told(peers), [[TWO, '', false]], 'one without buses serves none');
  t.end();
});

t.test('who is reached is as it was told last', (t) => {
  const peers = new Peers();
  peers.heard(roster(1, 2, 3));
  peers.reaches([TWO]);
  peers.reaches([THREE]);
  t.strictSame(told(peers), [
    [TWO, undefined, false],
    [THREE, undefined, true],
  ]);
  t.end();
});

t.test('a gateway is reached once there is a way to it and its log is read to its end, and no longer', (t) => {
  const peers = new Peers();
  const reached = () => peers.all.filter(({ isReached }) => isReached).map(({ key }) => key);
  peers.reaches([TWO, THREE]);
  t.strictSame(reached(), [], 'nothing was read yet');
  peers.heard({ ...roster(1, 2, 3), behind: [TWO, THREE] });
  t.equal(peers.heard({ ...heard([]), behind: [THREE] }), true);
  t.strictSame([reached(), peers.unread], [[TWO], [THREE]]);
  peers.heard(heard([]));
  t.strictSame([reached(), peers.unread], [[TWO, THREE], []]);
  t.equal(peers.heard({ ...heard([]), refused: [TWO] }), true);
  t.strictSame([reached(), peers.unread], [[THREE], [TWO]]);
  peers.heard({ ...heard([]), refused: [] });
  peers.heard({ ...heard([]), behind: [TWO] });
  t.strictSame(reached(), [TWO, THREE], 'whoever was read once is not behind again');
  t.end();
});

t.test('without a reader nobody is reached, until the next one has read anew; who speaks for all stays', (t) => {
  const peers = new Peers();
  peers.heard(roster(1, 2, 3));
  peers.reaches([TWO, THREE]);
  const before = peers.speaksForAll;
  peers.unheard();
  t.strictSame(
    [told(peers).map(([, , isReached]) => isReached), peers.unread],
    [
      [false, false],
      [TWO, THREE],
    ],
  );
  t.equal(peers.speaksForAll, before, 'they say it, whether or not it is heard here');
  peers.heard({ ...heard([]), behind: [THREE] });
  t.strictSame(peers.unread, [THREE]);
  peers.heard(heard([]));
  t.strictSame(peers.unread, []);
  t.end();
});

t.test('a gateway has a bus alone that neither another nor this one has', (t) => {
  const peers = new Peers();
  peers.heard(roster(1, 2, 3));
  const device = (id: string, bus: string) => ({
    id,
    bus,
    address: 0,
    secureChannel: 'required' as const,
    side: 'secured' as const,
  });
  const [near, far] = [device('near', 'b1'), device('far', 'b2')];
  const panel = { id: 'panel', device: 'far', number: 0, activeWhen: 'active' as const };
  const bare = { readers: [], inputs: [], outputs: [], doors: [], accessPoints: [] };
  peers.configure({ ...bare, devices: [near] }, { ...bare, devices: [near, far], inputs: [panel] });
  const having = () => [TWO, THREE].map((key) => [peers.hasAlone(key, 'b2'), peers.hasInputAlone(key, 'panel')]);
  t.equal(peers.heard(heard([started(TWO, 5, 'b1 b2')])), true);
  t.equal(peers.heard(heard([])), false);
  t.strictSame(having(), [
    [true, true],
    [false, false],
  ]);
  t.notOk(peers.hasAlone(TWO, 'b1'), 'this one has it');
  t.notOk(peers.hasInputAlone(TWO, 'nowhere'));
  peers.heard(heard([started(THREE, 5, 'b2')]));
  t.notOk(having().flat().includes(true), 'neither of two is believed');
  t.end();
});

t.test('a bus is whose that has said longest that it has it, whatever stamps another writes', (t) => {
  const peers = new Peers();
  peers.heard(roster(1, 2, 3));
  t.equal(peers.holderOf('b2'), undefined);
  peers.heard(heard([started(TWO, 5, 'b1 b2'), started(THREE, 4, 'b3'), started(THREE, 6, 'b3')]));
  t.equal(peers.holderOf('b2'), TWO);
  peers.heard(heard([started(THREE, 10, 'b2 b3'), started(TWO, 20, 'b2')]));
  t.equal(peers.holderOf('b2'), TWO, 'it has started since');
  const other = new Peers();
  other.heard(roster(1, 2, 3));
  const said = { ...started(THREE, 9, ''), record: { name: 'area.left_anonymously', doorId: 'd' } } as const;
  other.heard(heard([started(TWO, 5, 'b2'), said, started(THREE, 1, 'b2')]));
  t.equal(other.holderOf('b2'), TWO, 'its log was further on before');
  other.heard(heard([started(TWO, 30, 'b1')]));
  t.equal(other.holderOf('b2'), THREE);
  other.heard(heard([started(TWO, 31, 'b2')]));
  t.equal(other.holderOf('b2'), THREE, 'it said otherwise in between');
  t.end();
});

t.test('the bus of an expelled gateway is its own until another has it', (t) => {
  const peers = new Peers();
  peers.heard(roster(1, 2, 3));
  peers.heard(heard([started(TWO, 5, 'b2'), started(TWO, 6, 'b2 b3')]));
  const { roster: left } = roster(1, 3);
  const expelled = [{ key: TWO, name: 'two', heads: [] }];
  if (left !== undefined) peers.heard({ ...heard([started(TWO, 5, 'b2')]), roster: { ...left, expelled } });
  t.strictSame([peers.holderOf('b2'), peers.holderOf('b3')], [TWO, undefined], 'as far as it was attested');
  peers.heard(heard([started(THREE, 7, 'b2')]));
  t.equal(peers.holderOf('b2'), THREE);
  t.end();
});
