import { nodeCrypto } from '@sparc/edge/ledger';
import {
  checkAnswersInTime,
  checkBellsOpen,
  checkEgressIsFree,
  checkFireFrees,
  checkForksAreFound,
  checkLockdownHolds,
  checkLocksRelock,
  checkLogsAgree,
  checkOccupancyHolds,
  checkOnlyTheEntitled,
  checkRecordedBeforeReleased,
  checkReplicasAgree,
  checkRevokedOpensNothing,
  checkSaidWhy,
  checkSpreadsInTime,
  type Burning,
  type DurableRecord,
  type Ring,
  type TownTruth,
  type Violations,
} from '../scenarios/index.js';
import { readEvents } from './durable-records.js';
import type { TownGateway } from './town-gateway.js';
import type { TownPeople } from './town-people.js';
import type { Quarter } from './town-quarters.js';
import type { TownRollCall } from './town-roll-call.js';

/** A town whose people went home. */
export interface LivedTown {
  readonly quarters: readonly Quarter[];
  /** The number of the gateway that was stolen, of which nothing is expected. */
  readonly stolen: number | undefined;
  readonly truth: TownTruth;
  readonly people: TownPeople;
  readonly rollCall: TownRollCall;
  readonly burnt: readonly Burning[];
  readonly rings: readonly Ring[];
  readonly violations: Violations;
  /** What all journals have, gateway by gateway. */
  onRecord(record: DurableRecord): void;
}

/** Holds a town against all promises. Returns how often there was something to see. */
export function checkTown(town: LivedTown) {
  const { quarters, stolen, truth, people, burnt, rings, rollCall, violations } = town;
  const { given } = truth;
  let crowdsSeen = 0;
  for (const [index, { gateway, history }] of quarters.entries()) {
    const { records, problem } = readEvents(gateway.journals, Buffer.from(gateway.key, 'hex'));
    history.records = records;
    if (problem !== undefined) violations.add('journal-is-whole', `${gateway.name}: ${problem}`);
    records.forEach((record) => town.onRecord(record));
    if (index === stolen) continue;
    checkOnlyTheEntitled(history, violations);
    checkRecordedBeforeReleased(history, violations);
    checkAnswersInTime(history, violations);
    checkSaidWhy(history, violations);
    checkEgressIsFree(history, violations);
    checkLocksRelock(history, violations);
    crowdsSeen += checkOccupancyHolds(history, violations);
    const standing = gateway.field?.snapshot().mode.raises.length ?? 0;
    if (standing > 0) violations.add('lockdown-ends', `${gateway.name} has ${standing} raises that somebody released`);
  }
  for (const id of people.inside) {
    if (people.isTrapped(id)) violations.add('nobody-is-trapped', `${id} could not leave`);
  }
  const honest = quarters.map(({ history }, index) => (index === stolen ? undefined : history));
  checkLockdownHolds(given, honest, violations);
  checkRevokedOpensNothing(given, honest, violations);
  const spread = checkSpreadsInTime(given, honest, violations);
  return {
    spreadsChecked: spread.seen,
    spreadSlowestMs: spread.slowestMs,
    areasAsked: rollCall.check(violations),
    firesSeen: checkFireFrees(burnt, honest, violations),
    bellsSeen: checkBellsOpen(rings, given, honest, violations),
    crowdsSeen,
    forksFound: checkLogs(
      quarters.filter((_, index) => index !== stolen).map(({ gateway }) => gateway),
      violations,
    ),
  };
}

/** Returns how many forks are in evidence, on all platters together. */
function checkLogs(gateways: readonly TownGateway[], violations: Violations): number {
  checkLogsAgree(
    gateways.map(({ platter }) => platter),
    violations,
  );
  const platters = gateways.map(({ presentPlatter }) => presentPlatter);
  checkForksAreFound({ platters, authors: new Set(gateways.map(({ key }) => key)) }, violations);
  // Of what was said with their keys not all is in a journal.
  const twins = gateways.filter(({ hasTwoPasts }) => hasTwoPasts).map(({ key }) => key);
  checkReplicasAgree({ platters, authors: new Set(twins) }, nodeCrypto, violations);
  return platters.reduce((count, { forks }) => count + forks.length, 0);
}
