import { checkPromises, offlineReport, offlineSite, type OfflineHistory } from '@sparc/simulator/live';
import { validateSiteFile } from '@sparc/edge/policy';
import t from 'tap';
import { stringify } from 'yaml';

const START_MS = Date.UTC(2026, 10, 23, 8);
const CARD = { credential: 'card-ada', accessPoint: 'main-in', isExit: false };
const GRANT = { outcome: 'grant' } as const;
const at = (seconds: number) => START_MS + 1_000 * seconds;
const line = (seconds: number, name: string, more: object = {}) => ({
  epoch: 1,
  sequence: Math.round(10 * seconds),
  wallUnixMs: at(seconds),
  name,
  ...more,
});
const decided = (seconds: number, name: string, reason?: string) =>
  line(seconds, name, {
    doorId: 'main',
    accessPointId: CARD.accessPoint,
    credentialId: CARD.credential,
    ...(reason !== undefined && { reason }),
  });

/** One who may comes in at 1 s, leaves by the button at 10 s, and is denied at 21 s, in a lockdown of 20 to 30 s. */
const KEPT: OfflineHistory = {
  visits: [
    {
      gateway: 'reception',
      door: 'main',
      atUnixMs: at(1),
      throughUnixMs: at(1.4),
      card: { ...CARD, entitlement: GRANT, completedUnixMs: at(1), answeredUnixMs: at(1.2) },
    },
    { gateway: 'reception', door: 'main', atUnixMs: at(10), throughUnixMs: at(10.3) },
    {
      gateway: 'reception',
      door: 'main',
      atUnixMs: at(21),
      card: { ...CARD, entitlement: GRANT, completedUnixMs: at(21), answeredUnixMs: at(21.2) },
    },
  ],
  releases: [
    { door: 'main', atUnixMs: at(1.3) },
    { door: 'main', atUnixMs: at(10.2) },
  ],
  journals: new Map([
    [
      'reception',
      [
        decided(1.1, 'access.granted'),
        line(10.2, 'exit.released', { doorId: 'main' }),
        line(20, 'directive.given', { detail: { directive: 'd1' } }),
        line(20.1, 'site.lockdown', { detail: { directive: 'd1' } }),
        decided(21.1, 'access.denied', 'lockdown'),
      ],
    ],
    ['basement', [line(26.1, 'site.lockdown', { detail: { directive: 'd1' } })]],
  ]),
  whole: new Set(['reception', 'basement']),
  replicas: new Map(
    ['reception', 'basement'].map((gateway) => [
      gateway,
      [{ author: 'a1', name: 'Reception', entriesCount: 5, heads: [{ hash: 'h1' }] }],
    ]),
  ),
  cut: { fromUnixMs: at(0), untilUnixMs: at(20) },
  servingWhileCut: ['reception'],
  lockdown: {
    givenAt: 'reception',
    fromUnixMs: at(19.9),
    untilUnixMs: at(30),
    couldHearUnixMs: new Map([['basement', at(26)]]),
  },
};

const broken = (history: OfflineHistory) =>
  checkPromises(history).flatMap(({ promise, violations }) => (violations.length > 0 ? [promise] : []));
const visit = (index: number, more: object) =>
  KEPT.visits.map((each, n) => (n === index ? { ...each, ...more } : each));
const reception = (change: (lines: readonly ReturnType<typeof line>[]) => readonly object[]) =>
  new Map([...KEPT.journals, ['reception', change((KEPT.journals.get('reception') ?? []) as never) as never]]);
const without = (name: string) => reception((lines) => lines.filter((each) => each.name !== name));

t.test('a site that keeps its promises breaks none, and the report says so', async (t) => {
  t.same(broken(KEPT), []);
  const report = offlineReport(KEPT, checkPromises(KEPT));
  t.match(report, /people at the doors +3: 2 cards, 1 exit buttons/);
  t.match(report, /decisions +2: 1 granted, 1 denied/);
  t.match(report, /denied: lockdown +1/);
  t.match(report, /directives +1 given/);
  t.match(report, /replicas +1 logs on 2 gateways, 5 entries on each, all the same/);
  t.match(report, /broken promises +0$/);
});

const DEFECTS: readonly (readonly [string, OfflineHistory, readonly string[]])[] = [
  [
    'a reader that stays dark',
    { ...KEPT, visits: visit(2, { card: { ...CARD, entitlement: GRANT, completedUnixMs: at(21) } }) },
    ['a card is answered within 2 s'],
  ],
  [
    'a decision that is lost',
    { ...KEPT, journals: without('access.denied') },
    ['a card is answered within 2 s', 'nothing lost, nothing twice'],
  ],
  [
    'a record that comes after its release',
    {
      ...KEPT,
      journals: reception((lines) =>
        lines.map((each) => (each.name === 'access.granted' ? { ...each, wallUnixMs: at(1.35) } : each)),
      ),
    },
    ['recorded before released'],
  ],
  [
    'a denial without a reason',
    {
      ...KEPT,
      journals: reception((lines) =>
        lines.map((each) => (each.name === 'access.denied' ? decided(21.1, 'access.denied') : each)),
      ),
    },
    ['every denial says why'],
  ],
  [
    'a denial for a wrong reason',
    {
      ...KEPT,
      journals: reception((lines) =>
        lines.map((each) => (each.name === 'access.denied' ? decided(21.1, 'access.denied', 'no_right') : each)),
      ),
    },
    ['every denial says why'],
  ],
  [
    'a button that lets nobody out',
    { ...KEPT, visits: visit(1, { throughUnixMs: undefined }) },
    ['who leaves gets out'],
  ],
  [
    'an entry that is on the disk twice',
    { ...KEPT, journals: reception((lines) => [...lines, decided(1.2, 'access.granted')]) },
    ['nothing lost, nothing twice'],
  ],
  [
    'a replica that lacks an entry',
    {
      ...KEPT,
      replicas: new Map([
        ...KEPT.replicas,
        ['basement', [{ author: 'a1', name: 'Reception', entriesCount: 4, heads: [{ hash: 'h0' }] }]],
      ]),
    },
    ['nothing lost, nothing twice'],
  ],
  ['a journal that is not whole', { ...KEPT, whole: new Set(['basement']) }, ['nothing lost, nothing twice']],
  [
    'a lock that opens by itself',
    { ...KEPT, releases: [...KEPT.releases, { door: 'main', atUnixMs: at(15) }] },
    ['recorded before released', 'nobody enters without a right'],
  ],
  [
    'a stranger who comes in',
    {
      ...KEPT,
      visits: visit(0, {
        card: {
          ...CARD,
          entitlement: { outcome: 'deny', reasons: ['no_right'] },
          completedUnixMs: at(1),
          answeredUnixMs: at(1.2),
        },
      }),
    },
    ['nobody enters without a right'],
  ],
  [
    'a card that opens in a lockdown',
    { ...KEPT, visits: visit(2, { throughUnixMs: at(21.5) }) },
    ['nobody enters without a right'],
  ],
  ['a lockdown that comes to nothing', { ...KEPT, journals: without('site.lockdown') }, ['lockdown acts within 1 s']],
  [
    'a lockdown that is late at whoever hears of it',
    { ...KEPT, lockdown: { ...KEPT.lockdown, couldHearUnixMs: new Map([['basement', at(25)]]) } },
    ['lockdown acts within 1 s'],
  ],
  [
    'a policy that is too old without a cloud',
    { ...KEPT, journals: reception((lines) => [...lines, line(12, 'access.denied', { reason: 'policy_stale' })]) },
    ['nothing stops without a word'],
  ],
  [
    'a gateway that lets nobody in',
    { ...KEPT, servingWhileCut: ['reception', 'basement'] },
    ['nothing stops without a word'],
  ],
];

for (const [defect, history, expected] of DEFECTS) {
  t.test(`${defect} is seen`, async (t) => {
    t.same(broken(history), expected);
    t.match(offlineReport(history, checkPromises(history)), /BROKEN, \d+ times/);
  });
}

t.test('the site of the scenario is a valid site file in which no hour changes who may enter', async (t) => {
  const site = validateSiteFile(stringify(offlineSite('Europe/Zurich')), 'site.yaml');
  t.ok(site.doors.every(({ unlockSchedule }) => unlockSchedule === undefined));
  t.same(
    site.schedules.filter(({ weekly }) => weekly.length > 0).map(({ id }) => id),
    ['working-hours'],
  );
});
