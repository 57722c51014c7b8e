/**
 * What other gateways and the authority of the site said, read from the replicas that the site process fills, and verified
 * again: that process is not believed.
 * @packageDocumentation
 */
export type { Heard, HeardDelegation, HeardEntry, HeardRoster } from './heard-entry.js';
export { HEARD_EVENTS } from './heard-events.js';
