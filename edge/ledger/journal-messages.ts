import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { Hlc } from '@sparc/protocol/hlc';
import type { AppendedEntry, EntryDraft, WallTime } from '@sparc/protocol/ports';
import type { CloudCopy } from './journal-emptier.js';
import type { JournalStartReport } from './journal-start.js';

/** What the journal's thread is started with. */
export interface JournalThreadData {
  readonly dataDir: string;
  readonly siteId: string;
}

export type ToJournal =
  | { readonly kind: 'append'; readonly token: number; readonly draft: EntryDraft; readonly wall: WallTime }
  | { readonly kind: 'observe'; readonly hlc: Hlc; readonly wall: WallTime }
  | { readonly kind: 'lost'; readonly count: number; readonly code: ErrorCode; readonly sinceUnixMs: number }
  | { readonly kind: 'openEpochAbove'; readonly counter: number }
  | { readonly kind: 'empty'; readonly copy: CloudCopy; readonly wall: WallTime }
  | { readonly kind: 'stop' };

/** The answer to an append; the record itself stays with whoever asked. */
export type Settled =
  | { readonly token: number; readonly entry: Omit<AppendedEntry, 'record'> }
  | { readonly token: number; readonly error: PlainError };

export type FromJournal =
  | { readonly kind: 'started'; readonly report: JournalStartReport }
  | { readonly kind: 'failed'; readonly error: PlainError }
  | { readonly kind: 'settled'; readonly results: readonly Settled[] }
  | { readonly kind: 'copyRefused'; readonly error: PlainError }
  | { readonly kind: 'writable'; readonly writable: boolean; readonly error?: PlainError };

/** An error as it crosses between threads, which keep no classes. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: SparcError['details'];
}

export function toPlain(error: unknown): PlainError {
  if (error instanceof SparcError) return { code: error.code, message: error.message, details: error.details };
  return { code: 'ERR_LEDGER_STOPPED', message: error instanceof Error ? error.message : String(error), details: {} };
}

export const fromPlain = ({ code, message, details }: PlainError) => new SparcError(code, message, details);
