import {
  batchOf,
  BatchFile,
  comparePositions,
  EntryContent,
  positionOf,
  type ChainedEntry,
  type Link,
  type SignedHead,
} from '@sparc/protocol/ledger';
import { toHex } from '../platform/index.js';
import { placeOf, withJournalFile, type JournalFile } from './journal-file.js';
import { toLoggedEntry } from './logged-entry.js';

/** Entries in one batch; commits are smaller, so that a batch always finds a head to end at. */
const BATCH_ENTRIES = 512;

/** `lines`: a JSON object an entry, for people and tools. `batches`: a BatchFile, for other gateways; signed and whole. */
export type ExportFormat = 'lines' | 'batches';

/**
 * Hands the journal to `write`, piece by piece, and returns the head that covers it. It is not verified on the way.
 * Throws ERR_LEDGER_ABSENT, ERR_LEDGER_CORRUPT or ERR_LEDGER_MALFORMED.
 */
export function exportLedger(
  path: string,
  format: ExportFormat,
  write: (piece: Uint8Array) => void,
): SignedHead | undefined {
  return withJournalFile(path, (file) => {
    if (format === 'lines') writeLines(file, write);
    else writeBatches(file, write);
    return file.newest?.head;
  });
}

function writeLines({ newest, entries }: JournalFile, write: (piece: Uint8Array) => void): void {
  if (newest === undefined) return;
  for (const entry of entries()) {
    const { id, record, digest, ...about } = toLoggedEntry(newest.head.author, entry);
    const line = {
      epoch: id.epoch,
      sequence: id.sequence,
      ...about,
      hash: toHex(entry.hash),
      ...(digest === undefined ? (record ?? { body: EntryContent.decode(entry.content).body }) : { emptied: digest }),
    };
    write(Buffer.from(`${JSON.stringify(line, bytesAsHex)}\n`));
  }
}

function bytesAsHex(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? toHex(value) : value;
}

function writeBatches(file: JournalFile, write: (piece: Uint8Array) => void): void {
  const heads = file.heads()[Symbol.iterator]();
  let before: Link | undefined;
  let entries: ChainedEntry[] = [];
  let covered = 0;
  let head: SignedHead | undefined;
  let next = heads.next();

  function flush(): void {
    if (head === undefined) return;
    write(BatchFile.encode({ batches: [batchOf(entries.slice(0, covered), before, head)] }));
    before = entries[covered - 1];
    entries = entries.slice(covered);
    covered = 0;
    head = undefined;
  }

  for (const entry of file.entries()) {
    if (entry.sequence === 1 || entries.length === BATCH_ENTRIES) flush();
    entries.push(entry);
    if (!next.done && comparePositions(positionOf(next.value.head), placeOf(entry)) === 0) {
      head = next.value.head;
      covered = entries.length;
      next = heads.next();
    }
  }
  flush();
}
