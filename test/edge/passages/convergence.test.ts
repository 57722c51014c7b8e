import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '@sparc/simulator/world';
import { checkAsyncProperty } from '../../support/property.js';
import { AREA_IDS, BookAt, type AreasAt } from './site-of-books.js';

const GATEWAYS = 4;
const HOLDERS = ['ann', 'bob', 'carla'];
const DAY_MS = 86_400_000;
/** The last gateway has no door of the yard. */
const areasAt: AreasAt = (index) => AREA_IDS.filter((id) => index !== GATEWAYS - 1 || id !== 'yard');

const gateway = fc.nat(GATEWAYS - 1);
const holder = fc.constantFrom(...HOLDERS);
const area = fc.constantFrom(...AREA_IDS);

/** What may happen at a site, one after the other; between two gateways nothing is heard but by `hear`. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), gateway, holder, area, isIn: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('hear' as const), gateway, from: gateway, most: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('exit' as const), gateway, area }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forgive' as const), gateway, holder }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), gateway }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reach' as const), gateway, others: fc.subarray([0, 1, 2, 3]) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), gateway }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('setBack' as const), gateway }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('lie' as const),
      gateway,
      holder,
      area,
      of: gateway,
      epoch: fc.integer({ min: 1, max: 3 }),
      sequence: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 1_000, 4_000_000) }) },
);
/** Clocks that are a little apart, and now and then one that nobody follows any more. */
const aheadMs = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -60_000, max: 60_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(-DAY_MS, DAY_MS) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function happens(site: readonly BookAt[], clock: VirtualClock, each: Step): Promise<void> {
  if (each.kind === 'wait') return clock.advance(each.ms);
  const at = site[each.gateway];
  if (at === undefined) return;
  switch (each.kind) {
    case 'pass':
      return at.passes(each.holder, each.area, each.isIn ? 'in' : 'out');
    case 'exit':
      return at.leavesAnonymously(each.area);
    case 'forgive':
      return at.book.forgive(each.holder, 'Grace Hopper');
    case 'lose':
      return at.loses();
    case 'restart':
      at.restart();
      return at.tell([], true);
    case 'setBack':
      // It takes longer than a millisecond.
      await clock.advance(1_000);
      at.setBack();
      return at.tell([], true);
    case 'lie': {
      const { epoch, sequence } = each;
      const supersedes = { author: site[each.of]?.key ?? '', epoch, sequence };
      return at.claims({ holderId: each.holder, supersedes, detail: { to: each.area, certain: 'true' } });
    }
    case 'reach':
      return at.reaches(site.filter((other) => other !== at && each.others.includes(other.index)));
    case 'hear': {
      const from = site[each.from];
      if (from !== undefined && from !== at) at.hears(from, each.most);
    }
  }
}

/** A new gateway hears everything, in an order of its own: each log in its order, several in any. */
function hearsAll(at: BookAt, site: readonly BookAt[], order: readonly number[]): void {
  const others = site.filter((each) => each !== at);
  for (const turn of order) {
    const from = others[turn % others.length];
    if (from !== undefined) at.hears(from, 1 + (turn % 3));
  }
  for (const from of others) at.hears(from);
  at.tell([], true);
}

t.test('any interleaving and any order of arrival of claims of four gateways comes to the same at each', async (t) => {
  let doubted = 0;
  let inside = 0;
  await checkAsyncProperty(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 60 }),
      fc.array(aheadMs, { minLength: GATEWAYS, maxLength: GATEWAYS }),
      fc.array(fc.array(fc.nat(100), { maxLength: 30 }), { minLength: GATEWAYS, maxLength: GATEWAYS }),
      async (steps, ahead, orders) => {
        const clock = new VirtualClock({ startUnixMs: 1_767_600_000_000 });
        const site = ahead.map((ms, index) => new BookAt(index, GATEWAYS, clock, ms, areasAt));
        for (const at of site) at.tell([], true);
        for (const each of steps) {
          await happens(site, clock, each);
          await Promise.resolve();
        }
        for (const at of site) at.recovers();
        for (const [index, at] of site.entries()) hearsAll(at, site, orders[index] ?? []);
        const states = site.map((at) => at.state(HOLDERS));
        // Once more, from nothing, and everything twice.
        for (const at of site) {
          at.restart();
          const logs = site.filter((each) => each !== at).reverse();
          at.recovers();
          for (const { log } of [...logs, ...logs]) at.tell(log, true);
        }
        const again = site.map((at) => at.state(HOLDERS));
        for (const state of [...states, ...again]) deepStrictEqual(state, states[0]);
        for (const seen of Object.values(states[0]?.where ?? {})) {
          if (typeof seen === 'object' && !seen.certain) doubted += 1;
          if (typeof seen === 'object' && seen.areaId !== undefined) inside += 1;
        }
        for (const { book } of site) book.stop();
      },
    ),
    150,
  );
  t.ok(doubted > 20 && inside > 50, `${doubted} in doubt, ${inside} inside`);
});
