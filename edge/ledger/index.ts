/**
 * The gateway's own log: a writer over a store, the thread it runs in and the client of that thread, and what reads,
 * verifies and exports a journal file.
 * @packageDocumentation
 */
export { exportLedger, type ExportFormat } from './export-ledger.js';
export { JournalClient, type JournalClientHandlers } from './journal-client.js';
export { readBack, type EntriesBack } from './read-back.js';
export { readEntries } from './journal-file.js';
export { JOURNAL_FILE, openJournal, type OpenJournal, type OpenJournalHandlers } from './journal-folder.js';
export type { CloudCopy } from './journal-emptier.js';
export { JournalLog } from './journal-log.js';
export type { JournalThreadData } from './journal-messages.js';
export type { JournalLoss, JournalStartReport } from './journal-start.js';
export * from './journal-writer.js';
export type { Latency } from './latency-meter.js';
export { batchBehind } from './batch-behind.js';
export { BATCH_BYTES } from './log-batches.js';
export { PIECE_ENTRIES } from './entry-emptying.js';
export { toLoggedEntry, type LoggedEntry } from './logged-entry.js';
export { nodeCrypto } from './node-crypto.js';
export { SqliteLogStore } from './sqlite-log-store.js';
export { verifyLedger, type LedgerProblem, type VerifyOptions, type VerifyReport } from './verify-ledger.js';
