/**
 * Takes the signed logs of sites into the database, once and in order, and says by signature what it has.
 * @packageDocumentation
 */
export { Ingest, type IngestDeps, type IngestRefusal } from './ingest.js';
export { Months } from './months.js';
export { WorkQueue, type WorkLimits } from './work-queue.js';
export { takeBatch, type Taken, type TakeDeps } from './take-batch.js';
