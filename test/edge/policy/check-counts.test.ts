import t from 'tap';
import { SITE_FILE, siteFileProblems } from '../../support/site-file.js';

/** What is said of a site file after some replacements, each of a part that is there exactly once. */
function messagesOf(...replacements: readonly (readonly [from: string, to: string])[]): readonly string[] {
  let text = SITE_FILE;
  for (const [from, to] of replacements) {
    if (text.split(from).length !== 2) throw new Error(`not exactly once: ${from}`);
    text = text.replace(from, () => to);
  }
  return siteFileProblems(text);
}

const MAY_OPEN = [
  'accessPoint: front-in, schedule: office',
  'accessPoint: front-in, schedule: office, may: [openFirst]',
] as const;
const firstCard = (value: string) =>
  ['unlockSchedule: office', `unlockSchedule: office\n    firstCard: ${value}`] as const;
const noSchedule = (value: string) => ['unlockSchedule: office', `firstCard: ${value}`] as const;

t.test('a first card has a scope that can end, and somebody who can be it', async (t) => {
  for (const value of ['{ scope: day }', '{ scope: window, schedule: office, unlocks: true }', '{ scope: relock }']) {
    t.same(messagesOf(MAY_OPEN, firstCard(value)), [], value);
  }
  t.match(messagesOf(firstCard('{ scope: day }')), [/firstCard can be nobody/]);
  t.match(messagesOf(MAY_OPEN, firstCard('{ scope: day, schedule: office }')), [
    /schedule is a matter of scope window/,
  ]);
  t.match(messagesOf(MAY_OPEN, firstCard('{ scope: window, schedule: hours }')), [/not among the schedules/]);
  t.same(messagesOf(MAY_OPEN, noSchedule('{ scope: day }')), []);
  t.match(messagesOf(MAY_OPEN, noSchedule('{ scope: window }')), [/scope needs a schedule/]);
  t.match(messagesOf(MAY_OPEN, noSchedule('{ scope: relock }')), [/scope needs an unlockSchedule/]);
  t.match(messagesOf(MAY_OPEN, noSchedule('{ scope: day, unlocks: true }')), [/unlocks needs an unlockSchedule/]);
});

t.test('a first card at a door without a contact needs releases that count', async (t) => {
  const lab = ['    contact: null', '    contact: null\n    firstCard: { scope: day }'] as const;
  const may = [
    'accessPoint: lab-in, schedule: always',
    'accessPoint: lab-in, schedule: always, may: [openFirst]',
  ] as const;
  t.match(messagesOf(lab, may), [/needs to know that somebody used the door/]);
  const counts = [
    'reader: lab-reader, direction: entry',
    'reader: lab-reader, direction: entry, countsOnGrant: true',
  ] as const;
  t.same(messagesOf(lab, may, counts), []);
});

t.test('the clearance that is needed never falls as the threat rises', async (t) => {
  const site = (levels: string) =>
    messagesOf(['timeZone: Europe/Berlin', `timeZone: Europe/Berlin, minimumClearance: ${levels}`]);
  t.same(site('[0, 0, 2, 5]'), []);
  t.match(site('[0, 3, 2]'), [/^site.minimumClearance\[2\] is less/]);
  t.match(site('[6]'), [/minimumClearance/]);
  t.match(messagesOf(['areaTo: hall', 'areaTo: hall, minimumClearance: [1, 0]']), [/^accessPoints\[0\]/]);
});

t.test('a facility code alone opens only where a card alone does', async (t) => {
  const front = (value: string) => messagesOf(['areaTo: hall', `areaTo: hall, ${value}`]);
  t.same(front('degradedFacilityCodes: [123]'), []);
  t.match(front('degradedFacilityCodes: [70000]'), [/must be 0 to 255/]);
  t.match(front('degradedFacilityCodes: [7], facilityCodes: [123]'), [/not among the facilityCodes/]);
  const lab = ['authentication: cardAndPin', 'authentication: cardAndPin, degradedFacilityCodes: [123]'] as const;
  t.match(messagesOf(lab), [/card alone in where cardAndPin is asked/]);
  const night =
    'degradedFacilityCodes: [123], scheduledAuthentication: [{ schedule: office, authentication: cardAndPin }]';
  t.match(front(night), [/cardAndPin is asked/]);
});
