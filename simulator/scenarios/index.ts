/**
 * What may happen to a simulated site, and what must never be seen in one: drawn sites, a second opinion on rights, and
 * checkers. Checkers look at wires, locks, people and platters, never at a gateway's own account of itself.
 * @packageDocumentation
 */
export { checkAcknowledgedIsKept } from './checkers/acknowledged-is-kept.js';
export { checkAcknowledgedIsStored } from './checkers/acknowledged-is-stored.js';
export { checkAnswersInTime } from './checkers/answers-in-time.js';
export { checkAreasAgree } from './checkers/areas-agree.js';
export { checkAsCommitted } from './checkers/as-committed.js';
export { checkBellsOpen, type Ring } from './checkers/bells-open.js';
export { checkBodiesAreKept, emptiedCount } from './checkers/bodies-are-kept.js';
export { CardsArriveOnce } from './checkers/cards-arrive-once.js';
export { checkCloudHasAll } from './checkers/cloud-has-all.js';
export { checkCloudIsKnown } from './checkers/cloud-is-known.js';
export { DevicesReturn } from './checkers/devices-return.js';
export { checkEgressIsFree } from './checkers/egress-is-free.js';
export { checkExpelledIsBounded } from './checkers/expelled-is-bounded.js';
export { checkFaultsFired } from './checkers/faults-fired.js';
export { checkFireFrees, type Burning } from './checkers/fire-frees.js';
export { checkForksAreFound } from './checkers/forks-are-found.js';
export { checkInOrder } from './checkers/in-order.js';
export { checkLockdownHolds } from './checkers/lockdown-holds.js';
export { checkLogsAgree } from './checkers/logs-agree.js';
export { LocksObeyCommands } from './checkers/locks-obey-commands.js';
export { checkLocksRelock } from './checkers/locks-relock.js';
export { NothingInClear } from './checkers/nothing-in-clear.js';
export { checkNothingTwice } from './checkers/nothing-twice.js';
export { checkOccupancyHolds } from './checkers/occupancy-holds.js';
export { checkOnlyTheEntitled } from './checkers/only-the-entitled.js';
export { checkRecordedBeforeReleased } from './checkers/recorded-before-released.js';
export { checkReplicasAgree } from './checkers/replicas-agree.js';
export { checkRevokedOpensNothing } from './checkers/revoked-opens-nothing.js';
export { checkSaidWhy } from './checkers/said-why.js';
export { checkSpreadsInTime } from './checkers/spreads-in-time.js';
export type { CloudHistory, CloudKnowledge, SaidHead } from './cloud-history.js';
export { drawKeys, drawSite } from './drawn-site.js';
export { entitlement, scheduleOpen, type Claim, type Entitlement } from './entitlement.js';
export {
  epochName,
  leadingTo,
  MeshHistory,
  platterOf,
  writtenEpochs,
  type Platter,
  type WrittenEpoch,
} from './mesh-history.js';
export { fireAt, SiteHistory, type DurableRecord, type Presentation, type Subject } from './site-history.js';
export { arrivingShare, errandsAt } from './town-day.js';
export {
  TOWN_BELL_INPUT_NUMBER,
  TOWN_BLOCKS_COUNT,
  TOWN_DOORS,
  TOWN_FIRE_INPUT_NUMBER,
  TOWN_GATEWAYS_COUNT,
  TOWN_HOLDERS_COUNT,
  TOWN_STALENESS,
  TOWN_BLOCKS,
  townAreasOf,
  townBell,
  townBellDoor,
  townBellRule,
  townBlock,
  townBlockOf,
  townBus,
  townDevice,
  townFireInput,
  townOccupancyMax,
  townSite,
  type TownDoor,
} from './town-site.js';
export { foldWhereabouts } from './whereabouts.js';
export { ON_THE_STREET, TownTruth, type Given, type Places, type Whereabouts } from './town-truth.js';
export { Violations, type Violation } from './violation.js';
