import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { CredentialHolder, HashedCredential, PolicyContent } from '@sparc/protocol/policy';
import { checkProperty } from '../../support/property.js';
import { card, copyScene, everybody, IDS, person } from './copy-scene.js';

const RUNS_COUNT = 40;
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const moment = maybe(fc.constantFrom('2026-03-29T02:30', '2026-10-25', '2027-01-01T08:00:30'));
const hash = maybe(fc.constantFrom(...['A', 'B', 'C'].map((letter) => letter.repeat(43))));

const holderDraft = fc.record({
  name: fc.constantFrom('Ada', 'Bob', 'Zoë 𝕏'),
  status: fc.constantFrom<CredentialHolder['status'][]>('active', 'suspended'),
  clearance: maybe(fc.nat(5)),
  escortRequired: maybe(fc.boolean()),
});
const cardDraft = fc.record({
  /** Of another person where that one is there. */
  holder: fc.constantFrom(...IDS),
  rest: fc.record({
    status: fc.constantFrom<HashedCredential['status'][]>('active', 'lost'),
    validFrom: moment,
    validTo: moment,
    pinHash: hash,
    duressPinHash: hash,
    usesMax: maybe(fc.integer({ min: 1, max: 9 })),
    override: maybe(fc.constant(true)),
    accessProfiles: fc.subarray(['lab-staff', 'staff']),
  }),
  /** Some want the same number, which the first of them gets. */
  number: fc.nat(30),
  issue: maybe(fc.nat(3)),
});
const draft = fc.record({ holder: maybe(holderDraft), card: maybe(cardDraft) });
type Draft = typeof draft extends fc.Arbitrary<infer T> ? T : never;

const site = fc.record({
  name: fc.constantFrom('Harbour', 'Airport'),
  timeZone: fc.oneof({ weight: 9, arbitrary: fc.constant('Europe/Berlin') }, fc.constant('Asia/Tokyo')),
  opens: fc.boolean(),
  hasCleaners: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
});
type Site = typeof site extends fc.Arbitrary<infer T> ? T : never;

const present = <T extends object>(record: T) =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

function policyOf({ name, timeZone, opens, hasCleaners }: Site, drafts: ReadonlyMap<string, Draft>): PolicyContent {
  const taken = new Set<number>();
  const credentials = [...drafts].flatMap(([id, { holder, card: own }]) => {
    const owner = own && [own.holder, id].find((each) => drafts.get(each)?.holder !== undefined);
    if (own === undefined || owner === undefined || (holder === undefined && owner === id)) return [];
    const isFree = !taken.has(own.number);
    taken.add(own.number);
    const shared = {
      format: 'simplex-36',
      facility: 1,
      number: own.number,
      ...(own.issue !== undefined && { issue: own.issue }),
    };
    const identifiers = [...card(id).identifiers, ...(isFree ? [shared] : [])];
    return [card(id, { ...present(own.rest), holder: owner, identifiers })];
  });
  const { plan, profiles } = everybody();
  const cleaners = hasCleaners ? [{ id: 'cleaners', name: 'Cleaners', policies: [] }] : [];
  return everybody({
    plan: { ...plan, site: { ...plan.site, name, timeZone } },
    profiles: [...cleaners, ...[...profiles].map((each) => (opens ? each : { ...each, policies: [] }))],
    holders: [...drafts].flatMap(([id, { holder }]) => (holder === undefined ? [] : [person(id, present(holder))])),
    credentials,
  });
}

/** Everybody, then a few who differ, and a few more. */
const course = fc.tuple(
  fc.tuple(site, fc.array(draft, { minLength: IDS.length, maxLength: IDS.length })),
  fc.array(fc.tuple(site, fc.array(fc.tuple(fc.constantFrom(...IDS), draft), { maxLength: 6 })), {
    minLength: 1,
    maxLength: 3,
  }),
);

t.test('a generation that is made of the one before is the one that is built from nothing, row for row', async (t) => {
  let copies = 0;
  checkProperty(
    fc.property(course, ([[firstSite, everyone], changes]) => {
      const chain = copyScene(t);
      const fresh = copyScene(t);
      const drafts = new Map(IDS.map((id, index) => [id, everyone[index] as Draft]));
      chain.apply(policyOf(firstSite, drafts));
      for (const [changedSite, changed] of changes) {
        for (const [id, each] of changed) drafts.set(id, each);
        const content = policyOf(changedSite, drafts);
        const made = chain.apply(content);
        if (made.copyOf !== undefined) copies++;
        rmSync(join(fresh.dataDir, 'policy'), { recursive: true, force: true });
        const [rows, whole] = [chain.rows(made), fresh.rows(fresh.apply(content))].map((each) =>
          JSON.stringify(each, null, 1),
        );
        if (rows !== whole) throw new Error(`${rows}\n\n${whole}`);
      }
    }),
    RUNS_COUNT,
  );
  t.ok(copies >= RUNS_COUNT / 2, `${copies} of them were copies`);
});
