import fc from 'fast-check';
import t from 'tap';
import { isClaim, type Claim } from '@sparc/edge/passages';
import { checkAsyncProperty } from '../../support/property.js';
import { CARDS, FieldSite, sitePolicy } from './field-site.js';

type Act = 'front' | 'store' | 'open front' | 'open store' | 'wait' | 'crash';

const act = fc.constantFrom<Act>('front', 'store', 'open front', 'open store', 'wait', 'crash');

/** How often Ann passed, in all runs: as the contacts showed, and unseen through doors that a crash left released. */
async function passages(usesMax: number, acts: readonly Act[]): Promise<number> {
  const policy = sitePolicy({ ann: { usesMax } });
  let usedCount = 0;
  let claims: Claim[] = [];
  let site = await FieldSite.open({ policy });
  const countUsed = () => {
    usedCount += site.journal.names.filter((name) => name === 'access.used').length;
  };
  for (const each of acts) {
    switch (each) {
      case 'front':
      case 'store':
        site.bus.card(`${each}-in`, CARDS.ann);
        await site.clock.advance(300);
        break;
      case 'open front':
      case 'open store': {
        const door = each.slice('open '.length);
        if (site.released(door)) site.open(door);
        await site.clock.advance(100);
        site.close(door);
        break;
      }
      case 'wait':
        await site.clock.advance(4_000);
        break;
      case 'crash': {
        countUsed();
        const { entries } = site.journal;
        const open = site.journal.unsettled;
        usedCount += open.releasedGrants.filter(({ record }) => site.released(record?.doorId ?? '')).length;
        const read = entries.filter(({ record }) => isClaim(record));
        claims = [...claims, ...read.map(({ record, wallUnixMs }) => ({ record, atUnixMs: wallUnixMs }))];
        const known = claims;
        site = await FieldSite.open({ policy, claims: () => Promise.resolve(known) });
        await site.field.closeGrants(open);
        await site.clock.advance(100);
        break;
      }
    }
  }
  await site.clock.advance(20_000);
  countUsed();
  return usedCount;
}

t.test('whatever happens, also between a grant and its passage, nobody passes more often than the limit', async (t) => {
  await checkAsyncProperty(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2 }),
      fc.array(act, { minLength: 4, maxLength: 16 }),
      async (usesMax, acts) => (await passages(usesMax, acts)) <= usesMax,
    ),
    250,
  );
  t.pass();
});

t.test('the limit can be used up', async (t) => {
  const acts = ['front', 'open front', 'wait', 'crash', 'store', 'open store', 'wait', 'front', 'open front'] as const;
  t.equal(await passages(2, acts), 2);
});
