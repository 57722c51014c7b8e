/**
 * The mode of a site: lockdown, threat level, fire, and what was ordered for single doors; kept across restarts.
 * @packageDocumentation
 */
export { authorOf, ruleOf } from './author.js';
export { ModeFile } from './mode-file.js';
export {
  isOpening,
  obey,
  Order,
  OrderedMode,
  OrderRequest,
  OrderRefused,
  refused,
  type FireAlarm,
  type StandingOrder,
  type Toggle,
} from './orders.js';
export {
  afterRestart,
  EVACUATION,
  isFireAt,
  NORMAL,
  standingMode,
  THREAT_LEVEL_MAX,
  type Act,
  type DoorOrder,
  type SiteMode,
} from './site-mode.js';
export { readMode } from './read-mode.js';
export { foldMode, type ModeClaim, type RecordedMode } from './recorded-mode.js';
export { SiteModeKeeper, VOLATILE_MODE, type ModeStore } from './site-mode-keeper.js';
