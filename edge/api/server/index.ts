/**
 * The HTTP API of the site process. Apart from its parent's side, so that the field's process never loads it.
 * @packageDocumentation
 */
export { buildApi, type ApiDeps } from './build-api.js';
export type { DeliveryViews } from './delivery-routes.js';
export { direct } from './directive-routes.js';
export { EventLog, type EventHistory, type EventRange } from './event-log.js';
export { EventStreams } from './event-streams.js';
export { FieldRequests } from './field-requests.js';
export { DIRECTIVE_FEED_INTERVAL_MS, MeshFeed, MESH_FEED_INTERVAL_MS, type MeshFeedViews } from './mesh-feed.js';
export { METRICS, metricsText, type MetricFacts } from './metrics.js';
export { JournalHistory } from './journal-history.js';
export { SiteState, type SiteView } from './site-state.js';
