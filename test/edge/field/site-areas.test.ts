import t from 'tap';
import { planOfGateway } from '@sparc/edge/policy';
import { isClaim } from '@sparc/edge/passages';
import type { EventRecord } from '@sparc/protocol/events';
import type { Area } from '@sparc/protocol/policy';
import { CARDS, EIGHT_UNIX_MS, FieldSite, sitePolicy, type SiteOptions } from './field-site.js';

const SOUTH = 'b2'.repeat(32);
const OWN = 'ab'.repeat(32);
/** What is heard in good time before an area counts as known. */
const SETTLED_MS = 6_000;

/** The store door leads into the hall as well, and is another gateway's. */
function siteWith(hall: Partial<Area>) {
  const policy = sitePolicy({
    carla: true,
    areas: [{ id: 'hall', name: 'Hall', ...hall }],
    accessPoints: { 'front-in': { areaTo: 'hall' }, 'front-out': { areaFrom: 'hall' }, 'store-in': { areaTo: 'hall' } },
  });
  const devices = policy.plan.devices.map((each) => (each.id.startsWith('store') ? { ...each, bus: 'south' } : each));
  const site = { ...policy.plan, devices };
  return { ...policy, site, plan: planOfGateway(site, ['bus']) };
}

const HARD: Partial<Area> = { antiPassback: { mode: 'hard', unknown: 'failSecure' } };

class SharedArea {
  #sequence = 0;

  private constructor(readonly site: FieldSite) {}

  static async open(hall: Partial<Area>, options: SiteOptions = {}): Promise<SharedArea> {
    return new SharedArea(await FieldSite.open({ policy: siteWith(hall), isInMesh: true, ...options }));
  }

  /** The other gateway said when it started which bus it has, and all it ever said was heard. */
  meets(): void {
    const members = [OWN, SOUTH].map((key) => ({ key, name: key, addresses: [] }));
    const roster = { self: OWN, authority: 'ff'.repeat(32), members, expelled: [] };
    const entries = [this.#said({ name: 'gateway.started', detail: { name: 'south', buses: 'south' } })];
    this.site.field.heard({ delegations: [], roster, entries, behind: [] });
  }

  async reaches(isReached: boolean): Promise<void> {
    this.site.field.reaches(isReached ? [SOUTH] : []);
    await this.site.clock.advance(SETTLED_MS);
  }

  hears(...records: readonly EventRecord[]): void {
    this.site.field.heard({ delegations: [], entries: records.map((record) => this.#said(record)), behind: [] });
  }

  /** What came of a card, and why. */
  async shows(point: string, card: keyof typeof CARDS = 'ann'): Promise<string> {
    this.site.bus.card(point, CARDS[card]);
    await this.site.clock.advance(200);
    const { record } = this.site.journal.entries.findLast(({ record: { inputs } }) => inputs !== undefined) ?? {};
    return [record?.name, record?.reason ?? record?.flags?.join()].filter((each) => each !== undefined).join(' ');
  }

  /** The same, and whoever is let in goes through. */
  async passes(point: string, card: keyof typeof CARDS = 'ann'): Promise<string> {
    const answer = await this.shows(point, card);
    this.site.open('front');
    await this.site.clock.advance(200);
    this.site.close('front');
    await this.site.clock.advance(5_000);
    return answer;
  }

  told(): string[] {
    return this.site.journal.names.filter((name) => name.startsWith('area.peers'));
  }

  #said(record: EventRecord) {
    const wallUnixMs = this.site.clock.wall().unixMs;
    const id = { author: SOUTH, epoch: 1, sequence: ++this.#sequence };
    return { id, hlc: { unixMs: wallUnixMs, counter: 1 }, wallUnixMs, timeQuality: 'synced' as const, record };
  }
}

const moved = (holder: string, to?: string): EventRecord => ({
  name: 'area.moved',
  holderId: `${holder}-holder`,
  accessPointId: 'store-in',
  detail: { certain: 'true', ...(to !== undefined && { to }) },
});

t.test('whoever came in at another gateway does not come in here, until they left', async (t) => {
  const area = await SharedArea.open(HARD);
  area.meets();
  await area.reaches(true);
  area.hears(moved('ann', 'hall'));
  t.equal(await area.shows('front-in'), 'access.denied apb_violation');
  t.equal(await area.passes('front-out'), 'access.granted');
  t.match(area.site.record('area.moved').record, { supersedes: { author: SOUTH, epoch: 1, sequence: 2 } });
  t.equal(await area.shows('front-in'), 'access.granted');
  t.same(area.told(), []);
});

t.test('until all that others said was read, an area with doors elsewhere is not known', async (t) => {
  const area = await SharedArea.open(HARD);
  t.equal(await area.shows('front-in'), 'access.denied apb_unknown');
  t.match(area.site.record('access.denied').record.inputs, { occupancy: [{ areaId: 'hall', unheard: true }] });
  area.meets();
  t.equal(await area.shows('front-in'), 'access.denied apb_unknown', 'read, and not reached yet');
  await area.reaches(true);
  t.equal(await area.shows('front-in'), 'access.granted');
});

t.test(
  'a gateway that is not reached leaves its areas to their policy for the unknown, and that is recorded',
  async (t) => {
    const policies = [
      [HARD, 'access.denied apb_unknown'],
      [{ antiPassback: { mode: 'hard', unknown: 'failSoft' } }, 'access.granted apb_unknown'],
      [{ antiPassback: { mode: 'hard', unknown: 'localOnly' } }, 'access.granted'],
      [{ occupancyMax: 2 }, 'access.granted occupancy_unknown'],
      [{ occupancyMax: 2, ...HARD }, 'access.denied apb_unknown'],
    ] as const;
    for (const [hall, expected] of policies) {
      const area = await SharedArea.open(hall);
      area.meets();
      await area.reaches(true);
      await area.site.clock.advance(10_000);
      await area.reaches(false);
      t.same(area.told(), ['area.peers_unheard']);
      t.match(area.site.record('area.peers_unheard').record.detail, { area: 'hall', gateways: SOUTH });
      t.equal(await area.shows('front-in'), expected, JSON.stringify(hall));
      t.match(await area.shows('front-out'), /^access\.granted/, 'it keeps nobody in');
    }
  },
);

t.test('when gateways hear each other again, whoever was seen before has one free pass', async (t) => {
  const area = await SharedArea.open(HARD);
  area.meets();
  await area.reaches(true);
  await area.site.clock.advance(10_000);
  await area.passes('front-in');
  await area.reaches(false);
  area.site.field.reaches([SOUTH]);
  await area.site.clock.advance(3_000);
  t.equal(await area.shows('front-in'), 'access.denied apb_unknown', 'it may still be telling');
  area.hears({ ...moved('carla', 'hall') });
  await area.site.clock.advance(SETTLED_MS);
  t.same(area.told(), ['area.peers_unheard', 'area.peers_heard']);
  t.equal(await area.passes('front-in'), 'access.granted apb_free_pass');
  t.equal(await area.shows('front-in'), 'access.denied apb_violation', 'it was one');
});

t.test('a gateway that is reached and whose log does not hold leaves its areas unknown until it does', async (t) => {
  const area = await SharedArea.open(HARD);
  area.meets();
  await area.reaches(true);
  await area.site.clock.advance(10_000);
  const reads = (refused: readonly string[]) =>
    area.site.field.heard({ delegations: [], entries: [], refused, behind: [] });
  reads([SOUTH]);
  t.equal(await area.shows('front-in'), 'access.denied apb_unknown');
  t.match(area.site.record('area.peers_unheard').record.detail, { area: 'hall', gateways: SOUTH });
  reads([]);
  await area.site.clock.advance(SETTLED_MS);
  t.equal(await area.shows('front-in'), 'access.granted');
  t.same(area.told(), ['area.peers_unheard', 'area.peers_heard']);
});

t.test('a gateway without a policy is not one without others: nothing heals by that', async (t) => {
  const area = await SharedArea.open(HARD);
  area.meets();
  await area.reaches(true);
  await area.site.clock.advance(10_000);
  await area.reaches(false);
  area.site.field.usePolicy({ kind: 'none' });
  await area.site.clock.advance(60_000);
  t.same(area.told(), ['area.peers_unheard']);
});

t.test('as long as old entries come, an area is not known', async (t) => {
  const area = await SharedArea.open(HARD);
  area.meets();
  await area.reaches(true);
  area.site.field.reaches([]);
  area.site.field.reaches([SOUTH]);
  const record = moved('carla', 'hall');
  for (let sequence = 10; sequence < 14; sequence++) {
    await area.site.clock.advance(3_000);
    const id = { author: SOUTH, epoch: 1, sequence };
    const old = {
      id,
      hlc: { unixMs: EIGHT_UNIX_MS - 60_000, counter: 0 },
      wallUnixMs: 0,
      timeQuality: 'synced' as const,
    };
    area.site.field.heard({ delegations: [], entries: [{ ...old, record }], behind: [] });
  }
  t.equal(await area.shows('front-in'), 'access.denied apb_unknown');
  await area.site.clock.advance(SETTLED_MS);
  t.equal(await area.shows('front-in'), 'access.granted');
});

t.test(
  'a start after a crash knows whether gateways heard each other, and has given no free pass by itself',
  async (t) => {
    for (const isApart of [false, true]) {
      const before = await SharedArea.open(HARD);
      before.meets();
      await before.reaches(true);
      await before.site.clock.advance(10_000);
      await before.passes('front-in');
      if (isApart) await before.reaches(false);
      const claims = before.site.journal.entries
        .filter(({ record }) => isClaim(record))
        .map((entry) => ({ record: entry.record, atUnixMs: entry.wallUnixMs, entry }));
      const after = await SharedArea.open(HARD, { claims: () => Promise.resolve(claims) });
      await after.site.clock.advance(before.site.clock.wall().unixMs - EIGHT_UNIX_MS);
      after.meets();
      await after.reaches(true);
      await after.site.clock.advance(10_000);
      t.same(after.told(), isApart ? ['area.peers_heard'] : []);
      const expected = isApart ? 'access.granted apb_free_pass' : 'access.denied apb_violation';
      t.equal(await after.shows('front-in'), expected);
    }
  },
);

t.test('people who came in elsewhere fill an area, and what is full is full at every door', async (t) => {
  const area = await SharedArea.open({ occupancyMax: 1 });
  area.meets();
  await area.reaches(true);
  t.equal(await area.shows('front-in'), 'access.granted');
  await area.site.clock.advance(20_000);
  area.hears(moved('carla', 'hall'));
  t.equal(await area.shows('front-in'), 'access.denied occupancy_max');
  await area.site.clock.advance(3_000);
  area.hears(moved('carla'));
  t.equal(await area.shows('front-in'), 'access.granted');
});

t.test('an area whose doors are all of this gateway does not depend on any other', async (t) => {
  const policy = siteWith(HARD);
  const accessPoints = policy.site.accessPoints.filter(({ id }) => id !== 'store-in');
  const site = { ...policy.site, accessPoints };
  const alone = await FieldSite.open({ policy: { ...policy, site }, isInMesh: true });
  alone.bus.card('front-in', CARDS.ann);
  await alone.clock.advance(200);
  t.equal(alone.shown('front-in'), 'granted');
});
