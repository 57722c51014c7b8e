/**
 * What the time of a gateway is worth: the machine's clock or the neighbours', with its quality, the mark of what has surely passed, and the
 * age of the policy.
 * @packageDocumentation
 */
export { ClockFile, type SavedClock } from './clock-file.js';
export { begin, STAND_BY_MS, step, type ClockInput, type ClockStep, type EarlierRun } from './clock-machine.js';
export {
  DRIFT_MIN_PPM,
  HOLDOVER_MAX_MS,
  judge,
  STEP_MIN_MS,
  SYNCED_MAX_MS,
  type ClockState,
  type Reading,
} from './clock-state.js';
export { policyAge, type PolicyConfirmation } from './policy-age.js';
export { SiteClock, type ClockStore, type OwnTime, type SiteClockDeps, type SiteClockHandlers } from './site-clock.js';
export { AGREE_MS, siteTime, type OwnClock, type SiteTime, type TimesHeard } from './site-time.js';
export { StalenessWatch, type StalenessWatchDeps } from './staleness-watch.js';
export { STAMPS_AHEAD_PAUSE_MS, StampsAhead, type StampsAheadDeps } from './stamps-ahead.js';
export { Turns } from './turns.js';
