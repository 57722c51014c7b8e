/**
 * The site without a cloud, played on the demo: links and a gateway lost, a lockdown and its release, the heal, and what
 * became of the promises.
 * @packageDocumentation
 */
export { runOffline, type OfflineOptions } from './offline.js';
export type { OfflineHistory, Visit } from './offline-history.js';
export { offlineReport } from './offline-report.js';
export { offlineSite } from './offline-site.js';
export { checkPromises, type Promised } from './promises.js';
