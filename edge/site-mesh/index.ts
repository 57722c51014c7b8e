/**
 * The mesh part of the site process: membership, network, replicas and the own log, and what is shown of them.
 * @packageDocumentation
 */
export type { CloudAccess } from './cloud-access.js';
export { CLOUD_REFUSALS_TOLD_EVERY_MS, CloudRefusals, type CloudRefusal } from './cloud-refusals.js';
export { DELIVERY_PAUSE_MS, DELIVERY_SLICE_MS, DeliveryReader, type DeliveryReaderDeps } from './delivery-reader.js';
export { FieldHints, type FieldHintsDeps } from './field-hints.js';
export { GrantedCloud, type GrantedCloudDeps } from './granted-cloud.js';
export { JournalWatch, LOOK_INTERVAL_MS, LOOK_PAUSE_MS } from './journal-watch.js';
export { EMPTYING_DELAY_MS, EMPTYING_INTERVAL_MS, LogEmptying, type LogEmptyingDeps } from './log-emptying.js';
export { membershipHandlers } from './membership-handlers.js';
export { runningView, type MeshFacts } from './mesh-view.js';
export { LOST_AFTER_MS, NeighbourWatch, type NeighbourHandlers } from './neighbour-watch.js';
export { partitionsOf } from './partitions.js';
export { OwnCopies } from './own-copies.js';
export { OwnJournal } from './own-journal.js';
export { OwnNews } from './own-news.js';
export { PART_DISK_PAUSE_MS, PART_RETRY_PAUSE_MS, PartExchange, type PartExchangeDeps } from './part-exchange.js';
export { PART_ASKED_AGAIN_MS, PART_REPLY_MAX_MS, PART_SILENCE_MAX_MS } from './part-fetch.js';
export { SitePolicy, type SitePolicyDeps } from './site-policy.js';
export { TIMES_INTERVAL_MS, TimeTeller, type MeshTime } from './time-teller.js';
export { type WantedRevision } from './wanted-parts.js';
export { SiteMesh, type SiteMeshDeps } from './site-mesh.js';
export { WORD_REPLY_MAX_MS, WordExchange, type WordExchangeDeps } from './word-exchange.js';
