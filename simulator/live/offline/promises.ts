import { Violations, type Violation } from '../../scenarios/index.js';
import { lockdownDelays, recordInLockdown } from './lockdown-delays.js';
import { headsOf, isWithin, type JournalLine, type OfflineHistory, type Visit } from './offline-history.js';

/** A card is answered, and recorded, so long after it at most. */
const ANSWER_MAX_MS = 2_000;
/** From a card or a button to the lock. */
const RELEASE_MAX_MS = 2_500;
/** The clocks of two processes of a machine are read within this. */
const CLOCK_TOLERANCE_MS = 10;
/** A lockdown acts at whoever hears it. */
const LOCKDOWN_MAX_MS = 1_000;
/** Between the news of a lockdown that is over and those of its release, which came another way. */
const RELEASE_HEARD_MAX_MS = 10_000;
/** A grant that was on its way to the lock. */
const UNDER_WAY_MS = 500;

type Check = (history: OfflineHistory, broken: (what: string) => void) => void;

/** What a gateway promises without a cloud; truth are people, locks and disks. */
const PROMISES: Readonly<Record<string, Check>> = {
  'a card is answered within 2 s': answersInTime,
  'recorded before released': recordedBeforeReleased,
  'every denial says why': saidWhy,
  'who leaves gets out': egressIsFree,
  'nothing lost, nothing twice': nothingLost,
  'nobody enters without a right': onlyTheEntitled,
  'lockdown acts within 1 s': lockdownActs,
  'nothing stops without a word': nothingStops,
};

export interface Promised {
  readonly promise: string;
  readonly violations: readonly Violation[];
}

/** Each promise with what speaks against it. */
export function checkPromises(history: OfflineHistory): readonly Promised[] {
  return Object.entries(PROMISES).map(([promise, check]) => {
    const violations = new Violations(() => history.cut.untilUnixMs);
    check(history, (what) => violations.add(promise, what));
    return { promise, violations: violations.found };
  });
}

function answersInTime({ visits, journals }: OfflineHistory, broken: (what: string) => void): void {
  for (const visit of visits) {
    if (visit.card === undefined) continue;
    const { answeredUnixMs = Infinity, completedUnixMs } = visit.card;
    if (answeredUnixMs - completedUnixMs > ANSWER_MAX_MS) broken(`${who(visit)} saw no answer of the reader`);
    else if (decisionsOn(visit, journals).length === 0) broken(`${who(visit)} has no decision`);
  }
}

function recordedBeforeReleased({ releases, visits, journals }: OfflineHistory, broken: (what: string) => void): void {
  const grants = [...journals.values()].flat().filter(({ name }) => name === 'access.granted');
  for (const { door, atUnixMs } of releases) {
    // A way out never waits for the disk.
    if (causesOf(visits, door, atUnixMs).some(({ card }) => card === undefined || card.isExit)) continue;
    const index = grants.findIndex(
      ({ doorId, wallUnixMs }) =>
        doorId === door && wallUnixMs <= atUnixMs + CLOCK_TOLERANCE_MS && atUnixMs - wallUnixMs <= RELEASE_MAX_MS,
    );
    if (index >= 0) grants.splice(index, 1);
    else broken(`${door} was released at ${time(atUnixMs)} without a grant on disk before`);
  }
}

function saidWhy({ visits, journals, lockdown }: OfflineHistory, broken: (what: string) => void): void {
  for (const [gateway, lines] of journals) {
    for (const { name, reason, wallUnixMs } of lines) {
      if (name === 'access.denied' && !reason) broken(`${gateway} denied without a reason at ${time(wallUnixMs)}`);
    }
  }
  for (const visit of visits) {
    const [decision] = decisionsOn(visit, journals);
    if (visit.card === undefined || decision?.name !== 'access.denied' || decision.reason === undefined) continue;
    const { entitlement } = visit.card;
    const isLockedDown =
      decision.reason === 'lockdown' &&
      (isWithin(decision.wallUnixMs, lockdown) || isLockedDownAt(journals.get(visit.gateway), decision.wallUnixMs));
    // A reader that was cut off may hold a read back until it is too old to open a door with.
    if (isLockedDown || decision.reason === 'read_too_old') continue;
    const isRight = entitlement.outcome === 'deny' && entitlement.reasons.includes(decision.reason);
    if (!isRight) broken(`${who(visit)} was denied by ${decision.reason} and is ${JSON.stringify(entitlement)}`);
  }
}

/** By its own journal: one that was away hears of the lockdown first, and a moment later of its release. */
function isLockedDownAt(lines: readonly JournalLine[] = [], atUnixMs: number): boolean {
  const last = lines.findLast(
    ({ name, wallUnixMs }) => name?.startsWith('site.lockdown') === true && wallUnixMs <= atUnixMs,
  );
  return last?.name === 'site.lockdown' && atUnixMs - last.wallUnixMs <= RELEASE_HEARD_MAX_MS;
}

function egressIsFree({ visits }: OfflineHistory, broken: (what: string) => void): void {
  for (const visit of visits) {
    if (visit.card === undefined && (visit.throughUnixMs ?? Infinity) - visit.atUnixMs > RELEASE_MAX_MS) {
      broken(`${who(visit)} was kept in`);
    }
  }
}

function nothingLost({ visits, journals, whole, replicas }: OfflineHistory, broken: (what: string) => void): void {
  for (const visit of visits) {
    const decisions = decisionsOn(visit, journals);
    if (visit.card !== undefined && decisions.length !== 1) broken(`${who(visit)} has ${decisions.length} decisions`);
  }
  for (const gateway of journals.keys()) if (!whole.has(gateway)) broken(`the journal of ${gateway} is not whole`);
  const copies = [...replicas].map(([gateway, logs]) => ({ gateway, heads: headsOf(logs) }));
  for (const { gateway, heads } of copies) {
    if (heads !== copies[0]?.heads) broken(`${gateway} and ${copies[0]?.gateway} do not hold the same logs`);
  }
}

function onlyTheEntitled({ visits, releases, ...history }: OfflineHistory, broken: (what: string) => void): void {
  for (const { door, atUnixMs } of releases) {
    const isDue = ({ card }: Visit) => card === undefined || card.entitlement.outcome !== 'deny';
    if (!causesOf(visits, door, atUnixMs).some(isDue)) broken(`${door} was released at ${time(atUnixMs)} for nobody`);
  }
  for (const visit of visits) {
    const { card, throughUnixMs } = visit;
    if (card === undefined || throughUnixMs === undefined) continue;
    if (card.entitlement.outcome === 'deny') broken(`${who(visit)} came in without a right`);
    const lockedFromMs = recordInLockdown('site.lockdown', visit.gateway, history)?.wallUnixMs ?? Infinity;
    const isLockedDown = lockedFromMs + UNDER_WAY_MS < visit.atUnixMs && visit.atUnixMs < history.lockdown.untilUnixMs;
    if (isLockedDown && !card.isExit) broken(`${who(visit)} came in while ${visit.gateway} was locked down`);
  }
}

function lockdownActs(history: OfflineHistory, broken: (what: string) => void): void {
  for (const { gateway, delayMs } of lockdownDelays(history)) {
    if (delayMs === undefined) broken(`${gateway} was not locked down`);
    else if (delayMs > LOCKDOWN_MAX_MS) broken(`${gateway} was locked down ${delayMs} ms after it could know`);
  }
}

function nothingStops(
  { visits, journals, cut, servingWhileCut }: OfflineHistory,
  broken: (what: string) => void,
): void {
  for (const [gateway, lines] of journals) {
    const stale = lines.find(({ reason }) => reason === 'policy_stale' || reason === 'no_policy');
    if (stale !== undefined) broken(`${gateway} denied by ${stale.reason} at ${time(stale.wallUnixMs)}`);
  }
  for (const gateway of servingWhileCut) {
    const isServing = visits.some(
      (visit) => visit.gateway === gateway && visit.throughUnixMs !== undefined && isWithin(visit.atUnixMs, cut),
    );
    if (!isServing) broken(`${gateway} let nobody in while it was cut off`);
  }
}

/** What a gateway decided on a card of a visit. */
function decisionsOn({ gateway, atUnixMs, card }: Visit, journals: OfflineHistory['journals']): JournalLine[] {
  return (journals.get(gateway) ?? []).filter(
    ({ name, accessPointId, credentialId, wallUnixMs }) =>
      (name === 'access.granted' || name === 'access.denied') &&
      accessPointId === card?.accessPoint &&
      credentialId === card?.credential &&
      wallUnixMs >= atUnixMs - CLOCK_TOLERANCE_MS &&
      wallUnixMs - (card?.completedUnixMs ?? atUnixMs) <= ANSWER_MAX_MS,
  );
}

/** Visits that can have released a lock. */
const causesOf = (visits: readonly Visit[], door: string, atUnixMs: number): Visit[] =>
  visits.filter(
    (visit) =>
      visit.door === door &&
      visit.atUnixMs <= atUnixMs + CLOCK_TOLERANCE_MS &&
      atUnixMs - (visit.card?.completedUnixMs ?? visit.atUnixMs) <= RELEASE_MAX_MS,
  );

const who = ({ card, door, atUnixMs }: Visit): string =>
  `${card?.credential ?? 'the exit button'} at ${card?.accessPoint ?? door}, ${time(atUnixMs)},`;

const time = (unixMs: number): string => new Date(unixMs).toISOString().slice(11, 23);
