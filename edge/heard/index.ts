/**
 * What other gateways and the authority of the site said, read from the replicas that the site process fills, and verified
 * again: that process is not believed.
 * @packageDocumentation
 */
export { FollowedReplicas } from './followed-replicas.js';
export { openForSite, openHeard, type HeardDirective } from './heard-directive.js';
export type { Heard, HeardEntry, HeardRoster } from './heard-entry.js';
export {
  DIRECTIVES_PACE,
  HEARD_ENTRIES_MAX,
  HEARD_PACE,
  HeardReader,
  REFUSED_PAUSE_MS,
  type HeardReaderDeps,
} from './heard-reader.js';
export { Peers, type Peer } from './peers.js';
export type { HeardLogs } from './verified-logs.js';
