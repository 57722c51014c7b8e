import t from 'tap';
import type { FieldPolicy } from '@sparc/edge/field';
import type { HeardEntry } from '@sparc/edge/heard';
import { RUNS_BURST_MAX, type DoneEntries, type LinkageStore } from '@sparc/edge/linkage';
import { planOfGateway } from '@sparc/edge/policy';
import { HLC_AHEAD_MAX_MS } from '@sparc/protocol/hlc';
import type { LinkageRule } from '@sparc/protocol/policy';
import type { AppendedEntry, EntryId } from '@sparc/protocol/ports';
import { FieldSite, sitePolicy } from '../field/field-site.js';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
/** What every journal of these tests calls its author. */
const ITSELF = 'ab'.repeat(32);
const NAMES = ['north', 'south'] as const;
type Name = (typeof NAMES)[number];
const keyOf = (name: Name): string => (name === 'north' ? '1' : '2').repeat(64);

const PANIC: LinkageRule = {
  id: 'panic',
  when: [{ input: 'button', becomes: 'active' }],
  then: [{ message: 'help' }, { output: 'lamp', turn: 'on' }, { output: 'siren', turn: 'on' }],
};
const LET_IN: LinkageRule = {
  id: 'let-in',
  when: [{ input: 'button', becomes: 'active' }],
  then: [{ door: 'store', access: 'momentary' }],
};

/** The button and the lamp hang at `north`, the siren and the store at `south`. */
function policyOf(name: Name, linkageRules: readonly LinkageRule[]): FieldPolicy {
  const policy = sitePolicy({ inputs: [{ id: 'button', device: 'front-io', number: 7, activeWhen: 'active' }] });
  const { plan } = policy;
  const isSouth = (device: string) => device.startsWith('store');
  const site = {
    ...plan,
    devices: plan.devices.map((device) => ({ ...device, bus: isSouth(device.id) ? 'south' : 'north' })),
    outputs: [
      ...plan.outputs,
      { id: 'lamp', device: 'front-io', number: 3 },
      { id: 'siren', device: 'store-io', number: 3 },
    ],
    linkageRules: [...linkageRules],
  };
  return { ...policy, plan: planOfGateway(site, [name]), site };
}

function keptStore(): LinkageStore {
  let saved: DoneEntries | undefined;
  return { load: () => saved, save: async (done) => void (saved = structuredClone(done)) };
}

/** Two gateways of a site, and what the one hears of the other. */
class TwoGateways {
  readonly #toldCount = { north: 0, south: 0 };

  private constructor(
    readonly north: FieldSite,
    readonly south: FieldSite,
  ) {}

  static async open(rules: readonly LinkageRule[], stores: Partial<Record<Name, LinkageStore>> = {}) {
    const opened = (name: Name) =>
      FieldSite.open({
        isInMesh: true,
        policy: policyOf(name, rules),
        ...(stores[name] && { linkageStore: stores[name] }),
      });
    const two = new TwoGateways(await opened('north'), await opened('south'));
    two.north.bus.input('front-io', 7, 'inactive');
    for (const name of NAMES) two.#introduce(name);
    two.link(true);
    return two;
  }

  /** Whether they reach each other. */
  link(isUp: boolean): void {
    this.north.field.reaches(isUp ? [keyOf('south')] : []);
    this.south.field.reaches(isUp ? [keyOf('north')] : []);
  }

  /** What was recorded since the last time goes over, each way. */
  exchange(): void {
    for (const [from, to] of [['north', 'south'] as const, ['south', 'north'] as const]) {
      const news = this[from].journal.entries.slice(this.#toldCount[from]);
      this.#toldCount[from] += news.length;
      const entries = news.map((entry) => asHeard(entry, from, to));
      if (news.length > 0) this[to].field.heard({ delegations: [], entries, behind: [] });
    }
  }

  async pass(durationMs: number, isLinked = true): Promise<void> {
    for (let ms = 0; ms < durationMs; ms += 50) {
      await Promise.all(NAMES.map((name) => this[name].clock.advance(50)));
      if (isLinked) this.exchange();
    }
  }

  async press(isLinked = true): Promise<void> {
    this.north.bus.input('front-io', 7, 'active');
    await this.pass(50, isLinked);
    this.north.bus.input('front-io', 7, 'inactive');
    await this.pass(250, isLinked);
  }

  get sirenIsOn(): boolean {
    return this.south.bus.energised('store-io', 3);
  }

  #introduce(name: Name): void {
    introduce(this[name], name);
    this.#toldCount[name] = this[name].journal.entries.length;
    this[name].news();
  }
}

/** Who belongs to the site, and which buses the other one has. */
function introduce({ field }: FieldSite, name: Name, behind: readonly Name[] = []): void {
  const other = name === 'north' ? 'south' : 'north';
  const members = NAMES.map((each) => ({ key: keyOf(each), name: each, addresses: [] }));
  const started: HeardEntry = {
    id: { author: keyOf(other), epoch: 1, sequence: 0 },
    hlc: { unixMs: 0, counter: 0 },
    wallUnixMs: 0,
    timeQuality: 'synced',
    record: { name: 'gateway.started', detail: { name: other, buses: other } },
  };
  const roster = { self: keyOf(name), authority: 'f'.repeat(64), members, expelled: [] };
  field.heard({ delegations: [], roster, entries: [started], behind: behind.map(keyOf) });
}

/** Each journal of these tests names itself alike: the keys are put in on the way. */
function asHeard({ id, record, ...entry }: AppendedEntry, from: Name, to: Name): HeardEntry {
  const named = (cause: EntryId) => ({
    ...cause,
    author: cause.author === ITSELF ? keyOf(from) : cause.author === keyOf(to) ? ITSELF : cause.author,
  });
  const { causeId } = record;
  const heard = { ...record, ...(causeId !== undefined && { causeId: named(causeId) }) };
  return { ...entry, id: { ...id, author: keyOf(from) }, record: heard };
}

const linkageOf = (site: FieldSite): string[] =>
  site.news().filter((name) => name.startsWith('linkage.') || name === 'output.switched');

t.test('an input at one gateway switches an output at another, and both say what they did', async (t) => {
  const two = await TwoGateways.open([PANIC]);
  await two.press();
  t.ok(two.sirenIsOn);
  t.ok(two.north.bus.energised('front-io', 3));
  t.same(linkageOf(two.north), ['linkage.ran', 'linkage.message', 'output.switched']);
  t.same(linkageOf(two.south), ['linkage.carried_out', 'output.switched']);
  const { id } = two.north.record('linkage.ran');
  t.match(two.south.record('linkage.carried_out').record, {
    causeId: { ...id, author: keyOf('north') },
    detail: { rule: 'panic', because: 'input button active' },
  });
  await two.pass(4 * SECOND_MS);
  t.same(linkageOf(two.north), [], 'and it was heard');
});

t.test('what an entry asks is done once, however often it is heard', async (t) => {
  const two = await TwoGateways.open([PANIC]);
  await two.press();
  const heard = asHeard(two.north.record('linkage.ran'), 'north', 'south');
  two.south.news();
  two.south.field.heard({ delegations: [], entries: [heard, heard], behind: [] });
  await two.pass(SECOND_MS);
  t.same(linkageOf(two.south), []);
});

t.test('where the other gateway is not reached that is recorded at once', async (t) => {
  const two = await TwoGateways.open([PANIC]);
  two.link(false);
  await two.press(false);
  t.same(two.north.record('linkage.unheard').record.detail, {
    rule: 'panic',
    action: 'output siren',
    gateway: 'south',
  });
  t.same(two.north.record('linkage.unheard').record.causeId, two.north.record('linkage.ran').id);
  t.ok(two.north.bus.energised('front-io', 3), 'and what is here is done');
});

t.test('where the other gateway does not answer within three seconds that is recorded', async (t) => {
  const two = await TwoGateways.open([PANIC]);
  await two.press(false);
  await two.pass(2_500, false);
  t.notOk(two.north.journal.names.includes('linkage.unheard'));
  await two.pass(500, false);
  t.match(two.north.record('linkage.unheard').record.detail, { action: 'output siren', gateway: 'south' });
});

t.test(
  'an output that was to be turned on is turned on when the gateway hears of it, and no door is opened late',
  async (t) => {
    const two = await TwoGateways.open([PANIC, LET_IN]);
    two.link(false);
    await two.press(false);
    await two.pass(6 * SECOND_MS, false);
    two.link(true);
    await two.pass(2 * SECOND_MS);
    t.ok(two.sirenIsOn);
    t.notOk(two.south.released('store'));
    t.same(linkageOf(two.south), ['linkage.carried_out', 'output.switched']);
  },
);

t.test('of what comes late the newest word counts, and a word that was said here meanwhile', async (t) => {
  const on: LinkageRule = { id: 'on', when: PANIC.when, then: [{ output: 'siren', turn: 'on' }] };
  const off: LinkageRule = {
    id: 'off',
    when: [{ input: 'button', becomes: 'inactive' }],
    then: [{ output: 'siren', turn: 'off' }],
  };
  const forced: LinkageRule = {
    id: 'forced',
    when: [{ event: 'door.forced', where: { door: 'store' } }],
    then: [{ output: 'siren', turn: 'on' }],
  };
  const two = await TwoGateways.open([on, off, forced]);
  for (let count = 0; count < RUNS_BURST_MAX + 5; count += 1) {
    await two.press(false);
    await two.pass(SECOND_MS, false);
  }
  await two.pass(6 * SECOND_MS, false);
  two.south.news();
  await two.pass(2 * SECOND_MS);
  t.notOk(two.sirenIsOn);
  t.same(linkageOf(two.south), ['linkage.carried_out', 'output.switched'], 'once, whatever was said before');

  await two.press(false);
  await two.pass(6 * SECOND_MS, false);
  two.south.open('store');
  await two.pass(SECOND_MS, false);
  t.ok(two.sirenIsOn);
  await two.pass(2 * SECOND_MS);
  t.ok(two.sirenIsOn);
});

t.test('a door elsewhere is released for one passage while its rule is young, with a record before', async (t) => {
  const two = await TwoGateways.open([LET_IN]);
  await two.press();
  t.ok(two.south.released('store'));
  t.match(two.south.record('operator.release').record.detail, { by: 'rule:let-in' });
});

t.test('clocks that drifted apart agree on what is young and what newer, by the stamps that both follow', async (t) => {
  const off: LinkageRule = { id: 'off', when: PANIC.when, then: [{ output: 'siren', turn: 'off' }] };
  const two = await TwoGateways.open([LET_IN, PANIC, off]);
  const [entry] = two.north.journal.entries;
  if (entry === undefined) throw new Error('nothing was recorded');
  const nowMs = two.south.clock.wall().unixMs;
  let sequence = 1_000;
  const ran = async (rule: string, stampMs: number, wallMs: number) => {
    const said = {
      ...asHeard(entry, 'north', 'south'),
      id: { author: keyOf('north'), epoch: 1, sequence: ++sequence },
      hlc: { unixMs: nowMs + stampMs, counter: 0 },
      wallUnixMs: nowMs + wallMs,
      record: { name: 'linkage.ran' as const, detail: { rule, because: 'input button active', chain: '1' } },
    };
    two.south.field.heard({ delegations: [], entries: [said], behind: [] });
    await two.pass(2 * SECOND_MS, false);
  };
  await ran('let-in', 0, -8_000);
  t.ok(two.south.released('store'), 'of a clock that is behind');
  await ran('panic', 60_000, 60_000);
  t.ok(two.sirenIsOn, 'of one that is ahead');
  await ran('off', 61_000, -8_000);
  t.notOk(two.sirenIsOn);
});

t.test('in a quiet site a pulse of a gateway whose clock is behind comes in time, since stamps keep up', async (t) => {
  const behindMs = 20 * SECOND_MS;
  for (const isKeptUp of [true, false]) {
    const two = await TwoGateways.open([LET_IN]);
    two.north.clock.stepWall(-behindMs);
    await two.pass(HOUR_MS / 60);
    if (isKeptUp) two.north.field.keepUpWith(two.south.clock.wall().unixMs);
    await two.press();
    t.equal(two.south.released('store'), isKeptUp);
  }
});

t.test(
  'a gateway that says it is as far ahead as anybody is heard keeps nobody from being obeyed elsewhere',
  async (t) => {
    const two = await TwoGateways.open([LET_IN]);
    two.south.clock.stepWall(-500);
    two.north.field.keepUpWith(two.north.clock.wall().unixMs + HLC_AHEAD_MAX_MS - 10);
    await two.press();
    t.ok(two.south.released('store'));
  },
);

t.test('a run that the journal of its gateway took late opens nothing any more', async (t) => {
  for (const [lateMs, isOpened] of [
    [4_000, true],
    [5_001, false],
  ] as const) {
    const two = await TwoGateways.open([LET_IN]);
    await two.press(false);
    const { record, ...entry } = asHeard(two.north.record('linkage.ran'), 'north', 'south');
    const late = { ...entry, record: { ...record, detail: { ...record.detail, lateMs: String(lateMs) } } };
    two.south.field.heard({ delegations: [], entries: [late], behind: [] });
    await two.pass(SECOND_MS, false);
    t.equal(two.south.released('store'), isOpened);
  }
});

t.test('where nothing is read any more of what others say, nobody is asked until it is read again', async (t) => {
  const two = await TwoGateways.open([PANIC]);
  const { field } = two.north;
  field.unheard();
  t.same(field.snapshot().unread, [keyOf('south')]);
  await two.press(false);
  t.match(two.north.record('linkage.unheard').record.detail, { action: 'output siren', gateway: 'south' });
  two.north.news();
  field.heard({ delegations: [], entries: [], behind: [keyOf('south')] });
  await two.press(false);
  t.ok(two.north.news().includes('linkage.unheard'), 'it is still behind');
  field.heard({ delegations: [], entries: [], behind: [] });
  t.same(field.snapshot().unread, []);
  await two.press();
  t.notOk(two.north.news().includes('linkage.unheard'));
});

t.test('what all run by itself is raised once, by whoever comes first, and one release ends it', async (t) => {
  const closing: LinkageRule = {
    id: 'closing',
    when: [{ schedule: 'office', becomes: 'open' }],
    then: [{ raise: 'lockdown' }, { raiseThreatLevel: 3 }],
  };
  const second: LinkageRule = { id: 'second', when: [{ event: 'site.lockdown' }], then: [{ raiseThreatLevel: 4 }] };
  const two = await TwoGateways.open([closing, second]);
  await Promise.all(NAMES.map((name) => two[name].clock.advance(HOUR_MS)));
  await two.pass(2 * SECOND_MS);
  const raises = (name: Name) => two[name].field.snapshot().mode.raises;
  t.equal(raises('north').length, 3);
  t.same(
    raises('south').map(({ id }) => id),
    raises('north').map(({ id }) => id),
  );
  for (const name of NAMES) {
    const { names } = two[name].journal;
    t.equal(names.filter((each) => each === 'site.lockdown').length, 1, 'none follows from what the other raised');
    t.equal(names.filter((each) => each === 'site.threat_level').length, 2);
  }
});

t.test('what all run by itself one of those says that reach each other', async (t) => {
  const telling: LinkageRule = {
    id: 'telling',
    when: [{ schedule: 'office', becomes: 'open' }],
    then: [{ message: 'it is open' }, { output: 'lamp', turn: 'on' }],
  };
  for (const isLinked of [true, false]) {
    const two = await TwoGateways.open([telling]);
    two.link(isLinked);
    await Promise.all(NAMES.map((name) => two[name].clock.advance(HOUR_MS)));
    await two.pass(SECOND_MS, isLinked);
    const tellers = NAMES.filter((name) => two[name].journal.names.includes('linkage.message'));
    t.same(tellers, isLinked ? ['north'] : ['north', 'south']);
  }
});

t.test('a gateway that is asked too often has its own limit', async (t) => {
  const two = await TwoGateways.open([PANIC]);
  await two.press();
  const { record, ...entry } = asHeard(two.north.record('linkage.ran'), 'north', 'south');
  two.south.news();
  const flood = Array.from({ length: RUNS_BURST_MAX + 5 }, (_, index) => ({
    ...entry,
    id: { ...entry.id, sequence: 1_000 + index },
    record,
  }));
  two.south.field.heard({ delegations: [], entries: flood, behind: [] });
  await two.pass(SECOND_MS);
  const told = linkageOf(two.south);
  t.equal(told.filter((name) => name === 'linkage.suspended').length, 1);
  t.equal(told.filter((name) => name === 'linkage.carried_out').length, RUNS_BURST_MAX - 1);
});

t.test('a gateway that cannot have heard what a rule waits for has nothing done', async (t) => {
  const atStore: LinkageRule = {
    id: 'store',
    when: [
      { event: 'door.forced', where: { door: 'store' } },
      { input: 'store-contact', becomes: 'active' },
    ],
    then: [{ door: 'store', access: 'momentary' }],
  };
  const two = await TwoGateways.open([atStore, PANIC]);
  const [entry] = two.north.journal.entries;
  if (entry === undefined) throw new Error('nothing was recorded');
  const claim = (rule: string, sequence: number) => ({
    ...asHeard(entry, 'north', 'south'),
    id: { author: keyOf('north'), epoch: 1, sequence },
    record: { name: 'linkage.ran' as const, detail: { rule, because: 'door.forced', chain: '1' } },
  });
  two.south.field.heard({ delegations: [], entries: [claim('store', 1_000)], behind: [] });
  await two.pass(SECOND_MS);
  t.notOk(two.south.released('store'));
  t.same(linkageOf(two.south), []);
  two.south.field.heard({ delegations: [], entries: [claim('panic', 1_001)], behind: [] });
  await two.pass(SECOND_MS);
  t.same(linkageOf(two.south), ['linkage.carried_out', 'output.switched'], 'what it may hear it has done');
});

t.test('what every gateway hears by itself each does its own part of, and asks nobody', async (t) => {
  const closing: LinkageRule = {
    id: 'closing',
    when: [{ schedule: 'office', becomes: 'open' }],
    then: [
      { output: 'lamp', turn: 'on' },
      { output: 'siren', turn: 'on' },
    ],
  };
  const two = await TwoGateways.open([closing]);
  await Promise.all(NAMES.map((name) => two[name].clock.advance(HOUR_MS)));
  await two.pass(4 * SECOND_MS);
  for (const name of NAMES) {
    t.equal(two[name].journal.names.filter((each) => each === 'linkage.ran').length, 1);
    t.notOk(two[name].journal.names.some((each) => each === 'linkage.carried_out' || each === 'linkage.unheard'));
  }
  t.ok(two.sirenIsOn && two.north.bus.energised('front-io', 3));
});

t.test('a start does not do again what was done, and makes up for what was said meanwhile', async (t) => {
  const store = keptStore();
  const before = await TwoGateways.open([PANIC, LET_IN], { south: store });
  await before.press();
  const done = before.north.journal.entries.map((entry) => asHeard(entry, 'north', 'south'));
  await before.south.field.stop();
  await before.press(false);
  const all = before.north.journal.entries.map((entry) => asHeard(entry, 'north', 'south'));

  const after = await FieldSite.open({
    isInMesh: true,
    policy: policyOf('south', [PANIC, LET_IN]),
    linkageStore: store,
  });
  await after.clock.advance(60 * SECOND_MS);
  introduce(after, 'south', ['north']);
  after.news();
  after.field.heard({ delegations: [], entries: done, behind: [keyOf('north')] });
  await after.clock.advance(2 * SECOND_MS);
  t.same(linkageOf(after), []);
  after.field.heard({ delegations: [], entries: all, behind: [] });
  await after.clock.advance(2 * SECOND_MS);
  t.same(linkageOf(after), ['linkage.carried_out', 'output.switched']);
  t.notOk(after.released('store'));
});

t.test('a gateway that knows of no earlier run does nothing of what was said before it came', async (t) => {
  const two = await TwoGateways.open([PANIC]);
  await two.press(false);
  const said = two.north.journal.entries.map((entry) => asHeard(entry, 'north', 'south'));
  const fresh = await FieldSite.open({ isInMesh: true, policy: policyOf('south', [PANIC]) });
  introduce(fresh, 'south', ['north']);
  fresh.news();
  fresh.field.heard({ delegations: [], entries: said, behind: [] });
  await fresh.clock.advance(2 * SECOND_MS);
  t.same(linkageOf(fresh), []);
});

t.test(
  'what a rule does on an evacuation that no key directs is asked of the gateways that never record it',
  async (t) => {
    const sirens: LinkageRule = {
      id: 'out',
      when: [{ event: 'fire.evacuation' }],
      then: [{ output: 'siren', turn: 'on' }],
    };
    const two = await TwoGateways.open([sirens]);
    await two.north.field.order({ kind: 'evacuate' }, 'Ada');
    await two.pass(SECOND_MS);
    t.ok(two.sirenIsOn);
    t.same(linkageOf(two.south), ['linkage.carried_out', 'output.switched']);
  },
);
