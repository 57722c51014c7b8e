/**
 * The link of a gateway to the cloud: it carries the logs of the site there, and knows by signed acknowledgements what has
 * arrived. The other way come what the authority says there, parts of the policy, and what operators direct or ask there. No door, decision or record waits for it.
 * @packageDocumentation
 */
export type { CloudParts } from './cloud-parts.js';
export { TRIAL_PAUSE_MS, TRIALS_AT_ONCE_MAX } from './cloud-requests.js';
export { Uplink, type UplinkDeps, type UplinkState } from './uplink.js';
