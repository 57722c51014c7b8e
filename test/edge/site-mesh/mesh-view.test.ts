import t from 'tap';
import { FULL_REASONS } from '@sparc/edge/replica';
import { runningView } from '@sparc/edge/site-mesh';
import { batchOf, headToText, type SignedHead } from '@sparc/protocol/ledger';
import { nothingHeld, step, tipsByAuthor, type ReplicationInput } from '@sparc/protocol/replication';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const OPENED = { name: 'door.opened', doorId: 'front' };
const keyOf = (signer: { readonly publicKey: Uint8Array }) => Buffer.from(signer.publicKey).toString('hex');

/** The own chain, that of a neighbour, and what the two said. */
/** Whom a neighbour says to hear. */
type Links = readonly { readonly key: string; readonly field?: 'silent' }[];

function scene() {
  const own = new TestChain(testSigner(1));
  const gate = new TestChain(testSigner(2));
  const ownFirst = own.open(1, [OPENED, OPENED]);
  const ownSecond = own.open(2, [OPENED]);
  const gateFirst = gate.open(1, [OPENED]);
  const gateLater = gate.add(OPENED, OPENED);
  const self = keyOf(own.signer);
  const neighbour = keyOf(gate.signer);
  const cellar = keyOf(testSigner(3));
  const facts = (tips: readonly SignedHead[]) => {
    const inputs: ReplicationInput[] = [
      {
        kind: 'stored',
        author: self,
        log: [{ head: ownFirst.head }, { head: ownSecond.head, previous: ownFirst.head }],
      },
      { kind: 'stored', author: neighbour, log: [{ head: gateFirst.head }] },
      { kind: 'connected', neighbour },
      { kind: 'heads', neighbour, tips: tipsByAuthor(tips), complete: true },
    ];
    const replication = inputs.reduce(
      (state, input) => step(state, 0, input).state,
      nothingHeld(self, keyOf(testSigner(9))),
    );
    return {
      self,
      authority: keyOf(testSigner(9)),
      roster: {
        site: 'harbour',
        epoch: 7,
        issuedUnixMs: 1,
        notAfterUnixMs: 2,
        members: [
          { key: self, name: 'hallway', addresses: ['10.0.0.5:7400'] },
          { key: neighbour, name: 'gate', addresses: [] },
          { key: cellar, name: 'cellar', addresses: [] },
        ],
        expelled: [],
      },
      listensAt: ['0.0.0.0:7400'],
      hereSinceUnixMs: new Map([[neighbour, 42]]),
      awaySinceUnixMs: new Map([[cellar, 41]]),
      links: new Map<string, Links>([[neighbour, [{ key: self }]]]),
      silent: new Set<string>(),
      roundTripMs: (key: string) => (key === neighbour ? 0.5 : undefined),
      clockAheadMs: (key: string) => (key === neighbour ? -20 : undefined),
      replication,
      copies: new Map([[neighbour, tips]]),
      full: new Map<string, string>(),
      unread: [] as string[],
      forks: [],
      ownBatchAfter: ({ epoch, sequence }: { epoch: SignedHead['epoch']; sequence: number }) => {
        const { entries, head } = epoch.counter === 1 ? ownFirst : ownSecond;
        const rest = entries.filter((entry) => entry.sequence > sequence);
        return rest.length === 0 ? undefined : batchOf(rest, entries[sequence - 1], head);
      },
      operators: [],
      policy: undefined,
    };
  };
  return { ownFirst, ownSecond, gateFirst, gateLater, self, neighbour, cellar, facts };
}

const viewOf = (head: SignedHead): unknown => JSON.parse(headToText(head));

t.test('a view says who is here, how far their logs are on disk and how much more there is', async (t) => {
  const { gateFirst, gateLater, ownSecond, self, neighbour, cellar, facts } = scene();
  const view = runningView(facts([gateLater.head]));
  t.match(view, { state: 'running', roster: { site: 'harbour', epoch: 7 }, listensAt: ['0.0.0.0:7400'] });
  t.strictSame(view.members, [
    { key: self, name: 'hallway', addresses: ['10.0.0.5:7400'], isSelf: true, isReached: true, hears: [neighbour] },
    {
      key: neighbour,
      name: 'gate',
      addresses: [],
      isSelf: false,
      isReached: true,
      hereSinceUnixMs: 42,
      ownMissingCount: 5,
      roundTripMs: 0.5,
      clockAheadMs: -20,
      hears: [self],
    },
    { key: cellar, name: 'cellar', addresses: [], isSelf: false, isReached: false, awaySinceUnixMs: 41 },
  ]);
  t.strictSame(view.partitions, [[self, neighbour], [cellar]]);
  t.strictSame(view.logs, [
    { author: self, name: 'hallway', heads: [viewOf(ownSecond.head)], behindCount: 0 },
    { author: neighbour, name: 'gate', heads: [viewOf(gateFirst.head)], behindCount: 2 },
  ]);
});

t.test(
  'a member is reached whose log is taken and read here, and of one with too many starts the present one',
  async (t) => {
    const { gateFirst, gateLater, neighbour, facts } = scene();
    const isReached = (more: Partial<ReturnType<typeof facts>>, tips = [gateLater.head]) => {
      const shown = { ...facts(tips), ...more };
      return runningView(shown).members.find(({ key }) => key === neighbour)?.isReached;
    };
    t.equal(isReached({}), true);
    t.equal(isReached({ unread: [neighbour] }), false);
    for (const limit of FULL_REASONS.filter((reason) => reason !== 'epochs'))
      t.equal(isReached({ full: new Map([[neighbour, limit]]) }), false, limit);
    const full = new Map([[neighbour, 'epochs']]);
    t.equal(isReached({ full }), true, 'it goes on in an epoch that is here');
    const next = { ...gateFirst.head, epoch: { ...gateFirst.head.epoch, counter: 2 } };
    t.equal(isReached({ full }, [next]), false, 'and not in one that is not taken');
  },
);

t.test('a view says which own entries no neighbour has, and since when there is one', async (t) => {
  const { ownFirst, ownSecond, facts } = scene();
  const nobody = runningView(facts([])).own;
  t.match(nobody, { replicasCount: 0, unreplicatedCount: 5 });
  const partly = runningView(facts([ownFirst.head])).own;
  t.match(partly, { replicasCount: 0, unreplicatedCount: 2 });
  t.ok((partly?.unreplicatedSinceUnixMs ?? 0) > (nobody?.unreplicatedSinceUnixMs ?? Infinity));
  t.strictSame(runningView(facts([ownSecond.head])).own, { replicasCount: 1, unreplicatedCount: 0 });
});

t.test('a neighbour that is behind has what it says, and no more', async (t) => {
  const { ownSecond, neighbour, facts } = scene();
  const inEpoch = { ...ownSecond.head, sequence: 1 };
  const view = runningView(facts([inEpoch]));
  t.match(view.own, { replicasCount: 0, unreplicatedCount: 1 });
  t.equal(view.members.find(({ key }) => key === neighbour)?.ownMissingCount, 1);
});

t.test('only members count among those whom a neighbour says to hear', async (t) => {
  const { self, neighbour, cellar, facts } = scene();
  const stranger = keyOf(testSigner(4));
  const links = new Map([[neighbour, [{ key: cellar }, { key: stranger }]]]);
  const view = runningView({ ...facts([]), links });
  t.strictSame(view.members.find(({ key }) => key === neighbour)?.hears, [cellar]);
  t.strictSame(view.partitions, [[self, neighbour, cellar]]);
});

t.test(
  'a member whose field is silent is heard and not reached, and nobody but itself can say so of it here',
  async (t) => {
    const { self, neighbour, cellar, facts } = scene();
    const reached = (more: Partial<ReturnType<typeof facts>>) =>
      runningView({ ...facts([]), ...more }).members.flatMap(({ key, isReached }) => (isReached ? [key] : []));
    const far = (field?: 'silent') => [neighbour, [{ key: cellar, ...(field && { field }) }]] as const;
    t.strictSame(reached({ links: new Map([far()]) }), [self, neighbour, cellar]);
    t.strictSame(reached({ silent: new Set([neighbour]), links: new Map([far()]) }), [self, cellar]);
    t.strictSame(reached({ links: new Map([far('silent')]) }), [self, neighbour]);
    const liar = [cellar, [{ key: neighbour, field: 'silent' as const }]] as const;
    t.strictSame(reached({ links: new Map([far(), liar]) }), [self, neighbour, cellar]);
    const here = [...facts([]).roster.members, { key: 'another', name: 'another', addresses: [] }];
    const roster = { ...facts([]).roster, members: here };
    const both = new Map([far('silent'), ['another', [{ key: cellar }]] as const]);
    t.ok(reached({ roster, links: both }).includes(cellar), 'one of those who hear it says that it answers');
  },
);

t.test('a member that this gateway hears no more is not believed to hear whom it heard', async (t) => {
  const { self, neighbour, cellar, facts } = scene();
  const links = new Map([[neighbour, [{ key: cellar }]]]);
  const view = runningView({ ...facts([]), hereSinceUnixMs: new Map(), links });
  t.strictSame(view.partitions, [[self], [neighbour], [cellar]]);
});

t.test('whoever was expelled is shown with the heads that its log ends at', async (t) => {
  const { gateFirst, neighbour, facts } = scene();
  const scenes = facts([]);
  const members = scenes.roster.members.filter(({ key }) => key !== neighbour);
  const expelled = [{ key: neighbour, name: 'gate', heads: [gateFirst.head] }];
  const view = runningView({ ...scenes, roster: { ...scenes.roster, members, expelled } });
  t.strictSame(view.expelled, [{ key: neighbour, name: 'gate', heads: [viewOf(gateFirst.head)] }]);
});

t.test('a fork is shown with both heads', async (t) => {
  const { ownFirst, ownSecond, facts } = scene();
  const { forks } = runningView({
    ...facts([]),
    forks: [{ kind: 'twoLives', first: ownFirst.head, second: ownSecond.head }],
  });
  t.strictSame(forks, [{ kind: 'twoLives', first: viewOf(ownFirst.head), second: viewOf(ownSecond.head) }]);
});

t.test('a ledger of which no more is taken is shown with the limit that says so', async (t) => {
  const { neighbour, facts } = scene();
  const view = runningView({ ...facts([]), full: new Map([[neighbour, 'disk']]) });
  t.strictSame(
    view.logs.map(({ full }) => full),
    [undefined, 'disk'],
  );
});

t.test('what a neighbour had on disk when it went is not on this gateway only', async (t) => {
  const { ownSecond, neighbour, cellar, facts } = scene();
  const scenes = facts([]);
  const apart = { ...scenes, hereSinceUnixMs: new Map(), copies: new Map([[cellar, [ownSecond.head]]]) };
  const view = runningView(apart);
  t.strictSame(view.own, { replicasCount: 1, unreplicatedCount: 0 });
  t.equal(view.members.find(({ key }) => key === cellar)?.ownMissingCount, 0);
  t.notOk('ownMissingCount' in (view.members.find(({ key }) => key === neighbour) ?? {}), 'it said nothing');
});

t.test('whoever is on the roster no more is no place for copies', async (t) => {
  const { ownSecond, neighbour, facts } = scene();
  const scenes = facts([ownSecond.head]);
  const members = scenes.roster.members.filter(({ key }) => key !== neighbour);
  const { own } = runningView({ ...scenes, roster: { ...scenes.roster, members } });
  t.match(own, { replicasCount: 0, unreplicatedCount: 5 });
});
