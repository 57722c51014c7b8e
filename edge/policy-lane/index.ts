/**
 * The policy lane: what the authority of a site signed comes into force on a gateway, in a process of its own.
 * @packageDocumentation
 */
export { LaneProcess, type LaneHandlers } from './lane-process.js';
export { LANE_RETRY_MS, PolicyLane, type LaneRejection, type PolicyLaneDeps } from './policy-lane.js';
export { publishedRevision } from './published-revision.js';
