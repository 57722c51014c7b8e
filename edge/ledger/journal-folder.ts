import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isSparcError, type SparcError } from '@sparc/protocol/errors';
import type { WallTime } from '@sparc/protocol/ports';
import { lastMovedAside, moveAside } from '../platform/index.js';
import type { CloudCopy, JournalEmptier } from './journal-emptier.js';
import { HeadWitness, readWitness, WITNESS_FILE } from './head-witness.js';
import type { JournalLoss, JournalStartReport } from './journal-start.js';
import { JournalWriter, type JournalWriterDeps, type JournalWriterHandlers } from './journal-writer.js';
import { SqliteLogStore } from './sqlite-log-store.js';

export const JOURNAL_FILE = 'journal.db';

export interface OpenJournal {
  readonly writer: JournalWriter;
  readonly report: JournalStartReport;
  /** Begins to drop what is old and in the cloud. Rejects with ERR_LINK_ACKNOWLEDGEMENT_INVALID. */
  readonly empty: (copy: CloudCopy, wall: WallTime) => Promise<void>;
  /** Writes what waits, closes the file. */
  readonly close: () => Promise<void>;
  /** After `onFatal`: closes the file, and moves it aside if it is damaged. */
  readonly abandon: (error: SparcError) => void;
}

export interface OpenJournalHandlers extends JournalWriterHandlers {
  /** What is old and in the cloud is kept: the disk refuses, or has not what was written. It is tried again with the next word. */
  onEmptyingFailed(error: SparcError): void;
}

/**
 * Opens the journal of a data directory and a new epoch in it. A database that is damaged, of another key or of a newer
 * program is moved aside, never deleted, and a new one begins that says so.
 * Throws ERR_LEDGER_WRITE_FAILED when no file can be opened or made.
 */
export async function openJournal(
  dataDir: string,
  deps: Omit<JournalWriterDeps, 'store'>,
  options: { readonly siteId: string },
  handlers: Partial<OpenJournalHandlers>,
): Promise<OpenJournal> {
  const path = join(dataDir, JOURNAL_FILE);
  const witnessPath = join(dataDir, WITNESS_FILE);
  const witness = readWitness(witnessPath);
  const keeper = new HeadWitness(witnessPath, deps.clock);

  async function open(loss: JournalLoss | undefined): Promise<OpenJournal> {
    const store = SqliteLogStore.open(path);
    try {
      const onHead: JournalWriterHandlers['onHead'] = (head) => {
        keeper.offer(head);
        handlers.onHead?.(head);
      };
      const found = { ...(witness !== undefined && { witness }), ...(loss !== undefined && { loss }) };
      const writer = new JournalWriter({ ...deps, store }, { ...options, ...found }, { ...handlers, onHead });
      const report = await writer.start();
      let emptier: JournalEmptier | undefined;
      let isOpen = true;
      const onFailure = (error: SparcError) => handlers.onEmptyingFailed?.(error);
      const empty: OpenJournal['empty'] = async (copy, wall) => {
        // Not at the start, when doors wait for the journal.
        const { JournalEmptier } = await import('./journal-emptier.js');
        if (!isOpen) return;
        emptier ??= new JournalEmptier({ ...deps, ...options, store, writer, onFailure });
        emptier.empty(copy, wall);
      };
      const stopEmptying = () => {
        isOpen = false;
        emptier?.stop();
      };
      const close = async () => {
        stopEmptying();
        await writer.stop();
        await keeper.flush();
        store.close();
      };
      const abandon = (error: SparcError) => {
        stopEmptying();
        store.close();
        void keeper.flush();
        if (error.code === 'ERR_LEDGER_CORRUPT') setAside(path, error);
      };
      return { writer, report, empty, close, abandon };
    } catch (error) {
      store.close();
      throw error;
    }
  }

  try {
    return await open(existsSync(path) ? undefined : lossBefore(path));
  } catch (error) {
    if (!isSparcError(error) || error.code === 'ERR_LEDGER_WRITE_FAILED') throw error;
    return open(setAside(path, error));
  }
}

/** Keeps a journal that cannot be used as evidence. */
function setAside(path: string, error: SparcError): JournalLoss {
  const movedTo = moveAside(path);
  return { code: error.code, message: `${error.message}; kept as ${movedTo}`, movedTo };
}

/** A crash between moving a journal aside and beginning the next one must not pass for a first start. */
function lossBefore(path: string): JournalLoss | undefined {
  const movedTo = lastMovedAside(path);
  if (movedTo === undefined) return undefined;
  return { code: 'ERR_LEDGER_CORRUPT', message: `the journal was damaged; kept as ${movedTo}`, movedTo };
}
