/**
 * The mode of a site: what was raised for it (lockdown, threat level, fire) and stands until a release names it, and what
 * was ordered for single doors; kept across restarts.
 * @packageDocumentation
 */
export { authorOf, ruleOf } from './author.js';
export { ModeFile } from './mode-file.js';
export {
  isOpening,
  obey,
  Order,
  RAISED_ANEW_AFTER_MS,
  OrderedMode,
  OrderRequest,
  OrderRefused,
  refused,
  type Circumstances,
  type FireAlarm,
  type StandingOrder,
  type RuleRaise,
  type Toggle,
} from './orders.js';
export { afterRestart, NORMAL, standingMode, type DoorOrder, type SiteMode } from './site-mode.js';
export { readMode } from './read-mode.js';
export type { DirectedRaise, DirectedRelease } from './directed-mode.js';
export { FIRE_HEARD_LATE_MS, type HeardClaim } from './heard-claims.js';
export { raiseIdOf } from './raise-id.js';
export { RELEASE_RETRY_MS } from './mode-directives.js';
export { SiteModeKeeper, VOLATILE_MODE, type ModeStore, type SiteModeDeps } from './site-mode-keeper.js';
