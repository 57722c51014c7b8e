import type { Carrier } from '@sparc/protocol/cloud-link';
import { isSparcError } from '@sparc/protocol/errors';
import { assumedLast, malformed, verifyBatch, type Batch, type LedgerCrypto } from '@sparc/protocol/ledger';
import {
  accept,
  attestedPart,
  epochName,
  grown,
  isOfSite,
  isSameEpoch,
  type Acceptance,
  type AuthorLog,
  type EpochEnd,
  type Fork,
} from '@sparc/protocol/replication';
import type { Database, Site, Transaction } from '../db/index.js';
import { activate, isMember, knownRoster, placeSaid } from '../identity/index.js';
import { toHex } from '../platform/index.js';
import { appendToLog, instantOf } from './append-to-log.js';
import { hashAt, lockLog, placeOf, recordFork, type Append, type Query } from './author-heads.js';
import type { StoredLog } from './author-rows.js';
import type { Months } from './months.js';

/** What became of a batch; `stored`: what is held of its author now. */
export type Taken =
  | {
      readonly kind: 'stored';
      readonly stored: StoredLog;
      readonly entriesCount: number;
      /** Entries of this log came without their bodies for the first time. */
      readonly isFirstEmptied: boolean;
      readonly fork?: Fork;
    }
  /** All of it was there before. */
  | { readonly kind: 'known'; readonly stored: StoredLog }
  /** Something before it is not there. */
  | { readonly kind: 'early'; readonly stored: StoredLog }
  /** Nothing of it is stored: its author signed something else before, now or earlier. */
  | { readonly kind: 'forked'; readonly stored: StoredLog; readonly fork?: Fork }
  /** Whoever signed it has no log in this site. */
  | { readonly kind: 'foreign' }
  /** Whoever signed it was put out, and it does not lead to what was attested of it then: no fault of its carrier. */
  | { readonly kind: 'expelled' }
  /** Whoever carries it has no place in this site, or not any more. */
  | { readonly kind: 'notOfSite' };

export interface TakeDeps {
  readonly database: Database;
  readonly crypto: LedgerCrypto;
  readonly months: Months;
}

/**
 * Verifies a batch that a gateway carries and stores what is new of it. The rows of the author's heads are locked meanwhile, in
 * the transaction that inserts the entries: of two processes that have the same batch, the second finds it stored.
 * Throws as `verifyBatch` does, and what the database throws: then nothing is stored.
 */
export const takeBatch = (deps: TakeDeps, carrier: Carrier, batch: Batch): Promise<Taken> =>
  take(deps, carrier, batch, (query) => isMember(query, carrier));

/** As `takeBatch`, where a person brought it. */
export const takeBrought = (deps: TakeDeps, of: Site, batch: Batch): Promise<Taken> =>
  take(deps, of, batch, async () => true);

async function take(
  deps: TakeDeps,
  { tenant, site }: Site,
  batch: Batch,
  mayBring: (query: Query) => Promise<boolean>,
): Promise<Taken> {
  if (!isOfSite(batch.site, site)) throw malformed(`a batch of site ${batch.site}`);
  const instants = batch.contents.map(instantOf);
  if (!deps.months.hasAll(instants)) {
    // Partitions are made outside of the transaction, and not for whoever comes along.
    const refusal = await deps.database.inTenant(tenant, async ({ query }) => {
      if (!(await mayBring(query))) return 'notOfSite';
      return (await placeOf(query, site, batch.author)) === undefined ? 'foreign' : undefined;
    });
    if (refusal !== undefined) return { kind: refusal };
    verifyBatch(deps.crypto, batch);
  }
  const isOutside = await deps.months.prepare(instants);
  return deps.database.inTenant(tenant, async (transaction) => {
    const { query } = transaction;
    if (!(await mayBring(query))) return { kind: 'notOfSite' };
    const place = await placeOf(query, site, batch.author);
    if (place === undefined) return { kind: 'foreign' };
    const stored = await lockLog(query, batch.author);
    if (stored.stopped.has(epochName(batch.epoch))) return { kind: 'forked', stored };
    const acceptance = await judge(deps.crypto, transaction, stored, batch);
    if (acceptance.kind === 'forked') {
      await recordFork(query, tenant, site, acceptance.fork);
      return { kind: 'forked', stored, fork: acceptance.fork };
    }
    if (acceptance.kind !== 'append') return { kind: acceptance.kind, stored };
    const append =
      place === 'former' ? await attested(deps.crypto, transaction, site, stored.log, acceptance) : acceptance;
    if (append === undefined) return { kind: 'expelled' };
    const appended = await appendToLog(transaction, { tenant, site }, stored.log, append, isOutside);
    if (appended === undefined) return { kind: 'early', stored };
    if (acceptance.fork !== undefined) await recordFork(query, tenant, site, acceptance.fork);
    if (place === 'authority') {
      const contents = append.entries.map(({ content }) => content);
      await placeSaid(transaction, deps.crypto.verify, { tenant, site }, contents);
    }
    if (place === 'claimed') await activate(query, toHex(batch.author));
    const emptiedCount = stored.emptiedCount + appended.emptiedCount;
    return {
      kind: 'stored',
      stored: { ...stored, log: grown(stored.log, append), emptiedCount },
      isFirstEmptied: stored.emptiedCount === 0 && emptiedCount > 0,
      entriesCount: append.entries.length,
      ...(acceptance.fork !== undefined && { fork: acceptance.fork }),
    };
  });
}

/** What becomes of a batch; `early`: what is before it is not stored. Throws as `verifyBatch` does. */
async function judge(
  crypto: LedgerCrypto,
  transaction: Transaction,
  { log }: StoredLog,
  batch: Batch,
): Promise<Acceptance | { readonly kind: 'early' }> {
  const place = placeInCommon(log, batch);
  const own = place && (await hashAt(transaction, batch.author, place));
  try {
    return accept(crypto, log, () => own, batch);
  } catch (error) {
    if (isSparcError(error, 'ERR_LEDGER_ENTRY_MISSING')) return { kind: 'early' };
    throw error;
  }
}

/** What counts of entries of a gateway that was put out, whoever carries them: what leads to the heads that a roster attests. */
async function attested(
  crypto: LedgerCrypto,
  transaction: Transaction,
  site: string,
  log: AuthorLog,
  append: Append,
): Promise<Append | undefined> {
  const { expelled = [] } = (await knownRoster(transaction, crypto.verify, site)) ?? {};
  const heads = expelled.find(({ key }) => key === toHex(append.head.author))?.heads;
  if (heads === undefined) return append;
  const part = attestedPart(log, heads, append.entries, append.head);
  return part && { ...append, ...part };
}

/** The one entry whose stored hash `accept` asks for, to see whether the batch follows on it; undefined where it is a head. */
function placeInCommon(log: AuthorLog, batch: Batch): EpochEnd | undefined {
  const { epoch, firstSequence, contents } = batch;
  const held = log.find(({ head }) => isSameEpoch(head.epoch, epoch));
  if (held === undefined) {
    const before = assumedLast(batch);
    return before !== undefined && !isHead(log, before) ? before : undefined;
  }
  const last = { epoch, sequence: Math.min(firstSequence + contents.length - 1, held.head.sequence) };
  return isHead(log, last) ? undefined : last;
}

const isHead = (log: AuthorLog, { epoch, sequence }: EpochEnd): boolean =>
  log.some(({ head }) => isSameEpoch(head.epoch, epoch) && head.sequence === sequence);
