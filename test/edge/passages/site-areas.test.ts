import t from 'tap';
import type { EventRecord } from '@sparc/protocol/events';
import { VirtualClock } from '@sparc/simulator/world';
import { AREA_IDS, BookAt, LONG_SPOKEN, type AreasAt } from './site-of-books.js';

const DAY_MS = 86_400_000;

function siteOf(aheadMs: readonly number[], areasAt?: AreasAt) {
  const clock = new VirtualClock({ startUnixMs: 1_767_600_000_000 });
  const site = aheadMs.map((ms, index) => new BookAt(index, aheadMs.length, clock, ms, areasAt));
  const [north, south] = site;
  if (north === undefined || south === undefined) throw new Error('two gateways at least');
  t.teardown(() => site.forEach(({ book }) => book.stop()));
  /** Everybody hears all that was recorded. */
  const talk = async () => {
    await Promise.resolve();
    for (const at of site) for (const from of site) if (from !== at) at.hears(from);
    for (const at of site) at.tell([], true);
  };
  return { clock, site, north, south, talk };
}

const named = ({ recorded }: BookAt, name: string): readonly EventRecord[] =>
  recorded.filter((record) => record.name === name);
const locations = (site: readonly BookAt[], holder: string) =>
  site.map((at) => at.facts(holder, `${at.index}-hall-in`).location);

t.test(
  'a claim names what it takes the place of, so that a clock far ahead keeps nobody where they were',
  async (t) => {
    const { site, north, south, talk, clock } = siteOf([0, DAY_MS]);
    await talk();
    south.passes('ann', 'hall', 'in');
    await talk();
    t.same(
      locations(site, 'ann'),
      [0, 1].map(() => ({ areaId: 'hall', certain: true })),
    );
    await clock.advance(1_000);
    north.passes('ann', 'hall', 'out');
    await talk();
    t.match(named(north, 'area.moved').at(-1), { supersedes: { author: south.key, epoch: 1, sequence: 3 } });
    t.same(
      locations(site, 'ann'),
      [0, 1].map(() => ({ certain: true })),
    );
  },
);

t.test('a start is over some time later, at whatever fraction of a millisecond it began', async (t) => {
  for (const beganMs of [8_000.0939, 9_555.6481, 10_333.4252]) {
    const { site, clock, talk } = siteOf([0, 0]);
    await clock.advance(beganMs);
    await talk();
    await clock.advance(20_000);
    for (const { book } of site) book.stop();
    t.equal(clock.monotonicMs(), beganMs + 20_000);
  }
});

t.test('forgiveness clears what was claimed till then, of a clock far ahead as well', async (t) => {
  const { site, north, south, talk, clock } = siteOf([0, DAY_MS]);
  await talk();
  south.passes('ann', 'hall', 'in');
  await talk();
  await clock.advance(1_000);
  const carriedUnixMs = clock.wall().unixMs;
  north.book.forgive('ann', 'Grace Hopper', { directive: 'ab'.repeat(16), causeId: undefined, carriedUnixMs });
  await talk();
  t.same(locations(site, 'ann'), [undefined, undefined]);
});

t.test('a gateway that hears late that somebody was forgiven does not undo where they went since', async (t) => {
  const { site, north, south, talk, clock } = siteOf([0, 0]);
  north.passes('ann', 'hall', 'in');
  await talk();
  await clock.advance(1_000);
  const forgiveness = { directive: 'ab'.repeat(16), causeId: undefined, carriedUnixMs: clock.wall().unixMs };
  north.book.forgive('ann', 'Grace Hopper', forgiveness);
  t.same(locations([north], 'ann'), [undefined]);
  await clock.advance(60_000);
  south.passes('ann', 'hall', 'in');
  await clock.advance(60_000);
  south.book.forgive('ann', 'Grace Hopper', forgiveness);
  await talk();
  t.same(
    locations(site, 'ann'),
    [0, 1].map(() => ({ areaId: 'hall', certain: true })),
  );
});

t.test('somebody who left without a card is one person fewer at every gateway, once', async (t) => {
  const { site, north, south, talk } = siteOf([0, 0, 0]);
  const peopleIn = (area: string) => site.map(({ book }) => book.peopleIn(area)?.count);
  north.passes('ann', 'yard', 'in');
  south.passes('bob', 'yard', 'in');
  await talk();
  t.same(peopleIn('yard'), [2, 2, 2]);
  south.leavesAnonymously('yard');
  await talk();
  t.same(peopleIn('yard'), [1, 1, 1]);
  t.same(
    locations(site, 'ann').map((each) => each?.certain),
    [false, false, false],
    'it may have been either',
  );
  north.passes('ann', 'hall', 'in');
  await talk();
  t.match(named(north, 'area.moved').at(-1)?.detail, { accounts: 'yard' });
  t.same(peopleIn('yard'), [1, 1, 1], 'it was the one who is seen elsewhere');
});

t.test(
  'of several gateways the one that claimed last says that an area is full, and one ends a presence',
  async (t) => {
    const { clock, site, north, south, talk } = siteOf([0, 0, 0]);
    await talk();
    for (const at of site) at.reaches(site.filter((other) => other !== at));
    await talk();
    north.passes('ann', 'yard', 'in');
    await clock.advance(5);
    // Each sees one person only, and both are right.
    south.passes('bob', 'yard', 'in');
    await talk();
    t.same(
      site.map((at) => named(at, 'area.full').length),
      [0, 1, 0],
    );
    north.passes('carla', 'hall', 'in');
    await talk();
    await clock.advance(3_700_000);
    await talk();
    t.same(
      site.map((at) => named(at, 'area.presence_expired').map(({ holderId }) => holderId)),
      [['carla'], [], []],
    );
    t.same(locations(site, 'carla'), [undefined, undefined, undefined]);
  },
);

t.test('a presence is ended by one of the others where the gateway that saw it is not reached', async (t) => {
  const { clock, site, north, south, talk } = siteOf([0, 0, 0]);
  const east = site[2];
  if (east === undefined) return;
  north.passes('carla', 'hall', 'in');
  await talk();
  south.reaches([east]);
  east.reaches([south]);
  await clock.advance(3_700_000);
  t.same(
    [south, east].map((at) => named(at, 'area.presence_expired').length),
    [1, 0],
  );
});

t.test('claims that one gateway lost leave those in doubt who were where it has doors', async (t) => {
  const { site, north, south, talk } = siteOf([0, 0]);
  north.passes('ann', 'hall', 'in');
  await talk();
  south.loses();
  await talk();
  t.same(
    locations(site, 'ann'),
    [0, 1].map(() => ({ areaId: 'hall', certain: false })),
  );
  t.same(locations(site, 'bob'), [{ certain: false }, { certain: false }], 'whom nobody has seen may have been seen');
});

t.test(
  'a bus that nobody has, and one that two have, is said once, by one of those that reach each other',
  async (t) => {
    const { clock, north, south, talk } = siteOf([0, 0, 0]);
    const told = (at: BookAt) =>
      at.recorded.filter(({ name }) => name.startsWith('mesh.')).map(({ name, busId }) => [name, busId]);
    // The third gateway never said a word.
    for (const [at, other] of [
      [north, south],
      [south, north],
    ] as const) {
      at.hears(other);
      at.reaches([other]);
      at.tell([], true);
    }
    await clock.advance(300_000);
    t.same(told(north), [['mesh.bus_unclaimed', 'bus-2']]);
    t.same(told(south), []);
    t.match(
      named(north, 'area.peers_unheard').map(({ detail }) => detail),
      [
        { area: 'house', buses: 'bus-2' },
        { area: 'hall', buses: 'bus-2' },
        { area: 'yard', buses: 'bus-2' },
      ],
    );
    await talk();
    south.starts('bus-1 bus-0');
    await talk();
    await clock.advance(300_000);
    t.same(told(north), [
      ['mesh.bus_unclaimed', 'bus-2'],
      ['mesh.bus_contested', 'bus-0'],
    ]);
  },
);

t.test('of a gateway that was expelled counts what was attested, whatever was heard of it before', async (t) => {
  const { clock, site, north, south, talk } = siteOf([0, 0, 0]);
  const east = site[2];
  if (east === undefined) return;
  const others = [north, east];
  south.passes('ann', 'hall', 'in');
  const attestedCount = south.log.length;
  await talk();
  await clock.advance(1_000);
  for (const holder of ['ann', 'bob']) south.passes(holder, 'yard', 'in');
  south.leavesAnonymously('yard');
  await talk();
  t.same(
    locations(others, 'ann'),
    [0, 1].map(() => ({ areaId: 'yard', certain: false })),
  );
  for (const at of others) at.expels(south, attestedCount);
  t.same(
    locations(others, 'ann'),
    [0, 1].map(() => ({ areaId: 'hall', certain: true })),
  );
  t.same(locations(others, 'bob'), [undefined, undefined]);
  t.same(
    others.map(({ book }) => book.peopleIn('yard')?.count),
    [0, 0],
  );
});

t.test('a presence that ends takes no later claim with it, of whatever clock was ahead', async (t) => {
  for (const isForgiven of [false, true]) {
    const { clock, site, north, south, talk } = siteOf([0, DAY_MS]);
    for (const at of site) at.reaches(site.filter((other) => other !== at));
    south.passes('ann', 'hall', 'in');
    await talk();
    if (isForgiven) north.book.forgive('ann', 'Grace Hopper');
    else await clock.advance(3_700_000);
    await talk();
    t.same(locations(site, 'ann'), [undefined, undefined]);
    const ending = isForgiven ? named(north, 'apb.forgiven') : named(south, 'area.presence_expired');
    t.match(ending, [{ supersedes: { author: south.key } }]);
    north.passes('ann', 'hall', 'in');
    await talk();
    t.same(
      locations(site, 'ann'),
      [0, 1].map(() => ({ areaId: 'hall', certain: true })),
    );
  }
});

t.test('what gateways claimed of somebody that did not hear each other ends with the presence', async (t) => {
  const { site, north, south, talk, clock } = siteOf([0, 0, 0]);
  north.passes('ann', 'yard', 'in');
  await clock.advance(1_000);
  south.passes('ann', 'hall', 'in');
  await talk();
  site[2]?.book.forgive('ann', 'Grace Hopper');
  await talk();
  t.same(locations(site, 'ann'), [undefined, undefined, undefined]);
});

t.test('a clock that is corrected ends nobody’s presence', async (t) => {
  const { clock, site, north, south, talk } = siteOf([-DAY_MS, -DAY_MS]);
  await talk();
  north.passes('ann', 'hall', 'in');
  await talk();
  north.aheadMs = south.aheadMs = 0;
  south.reaches([]);
  await clock.advance(120_000);
  t.same(
    locations(site, 'ann').map((each) => each?.areaId),
    ['hall', 'hall'],
  );
  await clock.advance(3_600_000);
  t.same(
    site.map((at) => named(at, 'area.presence_expired').length),
    [1, 1],
    'each for itself, after the time that passed',
  );
});

t.test('of gateways that are not of the site a claim says nothing', async (t) => {
  const { north, south, talk } = siteOf([0, 0]);
  const stranger = { author: '9'.repeat(64), epoch: 1, sequence: 3 };
  south.claims({ holderId: 'ann', supersedes: stranger, detail: { to: 'hall', certain: 'true' } });
  await talk();
  north.enrols(stranger.author);
  const record: EventRecord = {
    name: 'area.moved',
    holderId: 'ann',
    accessPointId: 'x',
    detail: { to: 'of another revision', certain: 'true' },
  };
  const hlc = { unixMs: 1_767_600_001_000, counter: 0 };
  north.tell([{ id: stranger, hlc, wallUnixMs: hlc.unixMs, timeQuality: 'synced', record }], true);
  t.match(locations([north], 'ann'), [{ areaId: 'of another revision' }]);
});

t.test('a gateway that speaks of more areas than there can be does not count as heard', async (t) => {
  const { clock, north, south, talk } = siteOf([0, 0]);
  north.reaches([south]);
  await talk();
  await clock.advance(10_000);
  await talk();
  const isUnheard = () => north.facts('ann', '0-hall-in').occupancy?.some(({ unheard }) => unheard === true);
  const speak = async (count: number) => {
    for (let index = 0; index < count; index++) south.claimsExit(`area-${index}`);
    await talk();
  };
  await speak(256);
  await speak(256);
  t.notOk(isUnheard());
  await speak(257);
  t.ok(isUnheard());
});

t.test('an area is known once those with doors of it were heard, whoever else is behind', async (t) => {
  const { clock, site, north, south } = siteOf([0, 0]);
  north.reaches([south]);
  north.hears(south);
  await clock.advance(60_000);
  const isUnheard = () => north.facts('anna', '0-hall-in').occupancy?.some(({ unheard }) => unheard === true);
  t.ok(isUnheard());
  t.equal(north.book.peopleIn('hall'), undefined);
  north.tell([], false, [LONG_SPOKEN]);
  t.notOk(isUnheard());
  t.match(north.book.peopleIn('hall'), { count: 0 });
  north.tell([], false, [...site.map(({ key }) => key), LONG_SPOKEN]);
  t.notOk(isUnheard(), 'a reader that starts anew tells what was heard');
});

/** The second gateway has no door of the yard. */
const noYardInTheSouth: AreasAt = (index) => AREA_IDS.filter((id) => index !== 1 || id !== 'yard');
const inYard = (site: readonly BookAt[]) => site.map(({ book }) => book.peopleIn('yard')?.count);

t.test('of an area where a gateway has no door it says nothing that counts', async (t) => {
  const { clock, site, north, south, talk } = siteOf([0, 0, 0], noYardInTheSouth);
  const places = (holder: string) => site.map((at) => at.facts(holder, `${at.index}-house-in`).location);
  await talk();
  north.passes('ann', 'yard', 'in');
  await talk();
  await clock.advance(1_000);
  const supersedes = north.log.at(-1)?.id;
  for (const ghost of ['bob', 'carla']) south.claims({ holderId: ghost, detail: { to: 'yard', certain: 'true' } });
  if (supersedes) south.claims({ holderId: 'ann', supersedes, detail: { to: 'yard', certain: 'false' } });
  south.claimsExit('yard');
  south.book.forgive('ann', 'Mallory');
  south.loses();
  await talk();
  t.same(inYard(site), [1, 1, 1]);
  t.same(
    places('ann'),
    site.map(() => ({ areaId: 'yard', certain: false })),
    'but for the house, where its records are missing',
  );
  t.same(
    [north, ...site.slice(2)].map((at) => at.facts('ann', `${at.index}-yard-in`).location),
    [0, 2].map(() => ({ areaId: 'yard', certain: true })),
  );
  south.passes('ann', 'hall', 'in');
  await talk();
  t.same(inYard(site), [0, 0, 0], 'who is seen where it has doors is not there any more');
  await clock.advance(1_000);
  north.passes('ann', 'yard', 'in');
  await talk();
  t.same(inYard(site), [1, 1, 1]);
});

t.test('a claim takes the place of one that there is, not of all to come', async (t) => {
  const { site, north, south, talk, clock } = siteOf([0, DAY_MS, 0]);
  await talk();
  for (const far of [8, 1_000_000]) {
    const supersedes = { author: north.key, epoch: far, sequence: far };
    south.claims({ holderId: 'ann', supersedes, detail: { to: 'yard', certain: 'true' } });
  }
  site[2]?.passes('ann', 'hall', 'in');
  await talk();
  await clock.advance(1_000);
  north.passes('ann', 'house', 'in');
  await talk();
  t.same(
    locations(site, 'ann'),
    site.map(() => ({ areaId: 'house', certain: true })),
  );
});

t.test('a gateway that says that it has the bus of another takes its place at no area', async (t) => {
  const { clock, site, north, south, talk } = siteOf([0, 0, 0], noYardInTheSouth);
  const others = [north, ...site.slice(2)];
  for (const at of others) at.reaches(site.filter((other) => other !== at));
  await talk();
  await clock.advance(20_000);
  await talk();
  south.starts('bus-1 bus-0 bus-2');
  south.claims({ holderId: 'bob', detail: { to: 'yard', certain: 'true' } });
  await talk();
  t.same(inYard(others), [0, 0]);
  for (const at of others) at.reaches(others.filter((other) => other !== at));
  const yard = others.map((at) => at.facts('ann', `${at.index}-yard-in`).occupancy);
  t.same(
    yard,
    others.map(() => [{ areaId: 'yard', others: 0 }]),
    'nor is it missed there',
  );
  north.passes('ann', 'yard', 'in');
  await talk();
  t.same(inYard(others), [1, 1]);
});

t.test('a bus that a gateway gave up is that of another, with what it said of the areas there', async (t) => {
  const { site, north, south, talk } = siteOf([0, 0, 0], noYardInTheSouth);
  const east = site[2];
  if (east === undefined) return;
  await talk();
  south.claims({ holderId: 'bob', detail: { to: 'yard', certain: 'true' } });
  await talk();
  south.starts('bus-1 bus-0');
  await talk();
  t.same(inYard([east]), [0]);
  north.starts('');
  await talk();
  t.same(inYard([east]), [1]);
});

t.test('what an expelled gateway said before it was attested does not come back by what is cut off', async (t) => {
  const { clock, site, north, south, talk } = siteOf([0, DAY_MS, 0]);
  south.passes('ann', 'hall', 'in');
  const attestedCount = south.log.length;
  await talk();
  south.passes('ann', 'yard', 'in');
  await talk();
  await clock.advance(1_000);
  north.passes('ann', 'hall', 'out');
  await talk();
  const others = [north, ...site.slice(2)];
  for (const at of others) at.expels(south, attestedCount);
  t.same(
    locations(others, 'ann'),
    others.map(() => ({ certain: true })),
  );
});

t.test(
  'what a gateway says after its disk was set back is later than what it lost, whatever numbers both have',
  async (t) => {
    const { clock, site, north, south, talk } = siteOf([0, 0, 0]);
    const others = [south, ...site.slice(2)];
    north.restart();
    for (const holder of ['bob', 'carla', 'ann']) north.passes(holder, 'hall', 'in');
    await talk();
    await clock.advance(1_000);
    north.setBack();
    north.passes('ann', 'yard', 'in');
    await talk();
    t.match(locations(others, 'ann'), [{ areaId: 'yard' }, { areaId: 'yard' }]);
    north.recovers();
    t.match(locations([north], 'ann'), [{ areaId: 'yard' }]);
    t.match(locations(site, 'bob'), [{ areaId: 'hall' }, { areaId: 'hall' }, { areaId: 'hall' }]);
    south.passes('ann', 'hall', 'in');
    await talk();
    t.match(locations(site, 'ann'), [{ areaId: 'hall' }, { areaId: 'hall' }, { areaId: 'hall' }]);
  },
);
