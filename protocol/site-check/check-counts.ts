import { cardFormat } from '../card-format/index.js';
import type { JsonPath } from '../document/index.js';
import type { AccessPoint, Door } from '../policy/index.js';
import { valuesMax } from './card-formats.js';
import type { SiteCheck } from './site-check.js';

/** First cards that somebody can be, clearances that rise with the threat, and facility codes that cards have. */
export function checkCounts(check: SiteCheck): void {
  if (check.site !== undefined) checkClearance(check, check.site, ['site']);
  for (const [index, door] of check.entries('doors')) checkFirstCard(check, door, ['doors', index, 'firstCard']);
  for (const [index, accessPoint] of check.entries('accessPoints')) {
    checkClearance(check, accessPoint, ['accessPoints', index]);
    checkDegraded(check, accessPoint, ['accessPoints', index, 'degradedFacilityCodes']);
  }
}

function checkClearance(
  check: SiteCheck,
  { minimumClearance = [] }: Pick<AccessPoint, 'minimumClearance'>,
  path: JsonPath,
): void {
  const falls = minimumClearance.findIndex((minimum, level) => minimum < (minimumClearance[level - 1] ?? 0));
  if (falls === -1) return;
  check.refuse([...path, 'minimumClearance', falls], 'is less than at the threat level below, which would let more in');
}

function checkFirstCard(check: SiteCheck, door: Door, path: JsonPath): void {
  const { firstCard, unlockSchedule } = door;
  if (firstCard === undefined) return;
  const { scope, schedule, unlocks } = firstCard;
  if (schedule !== undefined) {
    check.refer('schedules', schedule, [...path, 'schedule']);
    if (scope !== 'window') check.refuse([...path, 'schedule'], 'is a matter of scope window only', { at: 'key' });
  } else if (scope === 'window' && unlockSchedule === undefined) {
    check.refuse([...path, 'scope'], 'needs a schedule whose windows it means, or an unlockSchedule of the door');
  }
  if (unlockSchedule === undefined) {
    if (scope === 'relock') check.refuse([...path, 'scope'], 'needs an unlockSchedule: else nothing ends it');
    if (unlocks === true) check.refuse([...path, 'unlocks'], 'needs an unlockSchedule that takes effect then');
  }
  const entries = [...check.entries('accessPoints')].filter(
    ([, each]) => each.door === door.id && each.direction === 'entry',
  );
  if (!door.contact && entries.some(([, { countsOnGrant }]) => countsOnGrant !== true)) {
    check.refuse(
      path,
      'needs to know that somebody used the door: wire a contact, or say countsOnGrant: true at its entries',
    );
  }
  const ids = new Set(entries.map(([, { id }]) => id));
  const isPossible = [...check.entries('accessProfiles')].some(([, { policies }]) =>
    policies.some(({ accessPoint, may }) => ids.has(accessPoint) && may?.includes('openFirst') === true),
  );
  if (!isPossible) {
    check.refuse(
      path,
      'can be nobody: no right to an entry of this door may openFirst, and so nobody would ever enter',
    );
  }
}

/** A card of the facility alone must not do what asks for more than a card on any other day. */
function checkDegraded(check: SiteCheck, accessPoint: AccessPoint, path: JsonPath): void {
  const { degradedFacilityCodes, facilityCodes, authentication, scheduledAuthentication = [] } = accessPoint;
  if (degradedFacilityCodes === undefined) return;
  const asked = [authentication, ...scheduledAuthentication.map((each) => each.authentication)];
  const more = asked.find((each) => each !== 'card' && each !== 'cardOrPin');
  if (more !== undefined) {
    check.refuse(path, `would let a card alone in where ${more} is asked: leave it out here`, { at: 'key' });
  }
  const maxima = [...check.entries('cardFormats')].flatMap(([, { format: id }]) => {
    const format = cardFormat(id);
    return (format && valuesMax(format).facility) ?? [];
  });
  const max = Math.max(-1, ...maxima);
  for (const [at, code] of degradedFacilityCodes.entries()) {
    if (max === -1) check.refuse([...path, at], 'is of no use: no card format of the site has a facility code');
    else if (code > max) check.refuse([...path, at], `must be 0 to ${max} in the card formats of the site`);
    else if (facilityCodes?.includes(code) === false) {
      check.refuse([...path, at], 'is not among the facilityCodes of this access point');
    }
  }
}
