/**
 * Access decisions: pure, default deny, one primary reason. Order and rank of the checks are in `checks.ts`.
 * @packageDocumentation
 */
export type { AccessRequest, DecisionContext, PassageFacts, PassageView, RevocationView } from './access-request.js';
export { READ_AGE_MAX_MS } from './checks.js';
export { ESCORT_RATIO_MAX } from './company-checks.js';
export { mayBesideEntry } from './beside-entry.js';
export { recordedTime } from './decision-time.js';
export { addRevocations, decide, releaseObstacle, replay, type RecordedPresentation } from './decide.js';
export { NO_CARD, WITHOUT_CARD } from './pin-alone.js';
export { decisionRecord, denied, type Decision, type DecisionAlarm } from './decision.js';
export { decideEmergency, type EmergencyView } from './emergency.js';
export { explain } from './explain.js';
export { identify, type Identified } from './identify.js';
export {
  isLockedOut,
  LOCK_OUT_PAIRS_MAX,
  NO_LOCK_OUTS,
  recordPinTry,
  type LockOutRules,
  type LockOutState,
  type LockOutStep,
  type PinTry,
} from './lock-out.js';
export type { CredentialRecord, PolicyView, Right } from './policy-view.js';
export { isDecision, replayEmergencyEntry, replayEntry, type Replayed } from './replay-entry.js';
export type { LocalWindow } from './local-window.js';
export {
  boundaries,
  nextBoundary,
  openPeriods,
  skippedWindows,
  windowText,
  type Boundary,
  type OpenPeriod,
  type SkippedWindow,
} from './open-periods.js';
export {
  compileSchedule,
  DAY_MS,
  dateText,
  dayNumber,
  isOpen,
  localWindow,
  weekdayOf,
  weeklyWindows,
  windowsOf,
  type CompiledSchedule,
} from './schedule.js';
export { isClockKnown, isSurelyOpen, siteSchedule, zoneClock } from './site-time.js';
export type { Visitor, VisitorView } from './visitor.js';
