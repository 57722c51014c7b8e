/**
 * Takes the signed logs of sites into the database, once and in order, and says by signature what it has.
 * @packageDocumentation
 */
export { appendToLog, instantOf } from './append-to-log.js';
export { hashAt, lockLog, type Query } from './author-heads.js';
export { CARRIER_ENTRIES_MIN, CARRIER_SILENCE_MAX_MS, Carriers } from './carriers.js';
export { storedLog, type StoredLog } from './author-rows.js';
export { Ingest, type IngestDeps, type IngestRefusal } from './ingest.js';
export { Months } from './months.js';
export { RESTORED_WAIT_MS } from './restored-word.js';
export { WorkQueue, type WorkLimits } from './work-queue.js';
export { takeBatch, takeBrought, type Taken, type TakeDeps } from './take-batch.js';
