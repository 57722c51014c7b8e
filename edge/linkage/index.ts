/**
 * Linkage: when something happens, if something holds, then something is done. Evaluated in the gateway alone, with limits
 * against rules that set each other off.
 * @packageDocumentation
 */
export { Linkage, type LinkageDeps } from './linkage.js';
export { LinkageFile, VOLATILE_LINKAGE, type DoneEntries, type LinkageStore } from './linkage-file.js';
export {
  create,
  nextDeadlineMs,
  RUNS_BURST_MAX,
  CHAIN_LENGTH_MAX,
  step,
  SUSPENDED_MS,
  type LinkageEffect,
  type LinkageInput,
  type LinkageState,
} from './linkage-machine.js';
export type { SiteFacts } from './condition.js';
