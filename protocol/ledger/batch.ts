import { SparcError } from '../errors/index.js';
import { nextLink, type ChainedEntry, type Link } from './chain.js';
import { bytes, text } from './codecs.js';
import type { LedgerCrypto } from './crypto.js';
import { contentBytes, EntryContent, EpochId, HASH_BYTES, sequenceNumber } from './entry.js';
import { EpochBody } from './epoch-body.js';
import { isSignatureValid, type SignedHead } from './head.js';
import { list, malformed, message, optional, required, type Infer } from './message.js';

export const BATCH_ENTRIES_MAX = 1024;

/**
 * Consecutive entries of one epoch on the wire or in a file, closed by the signed head over the last of them. Site,
 * author and epoch are there once; hashes are recomputed by whoever receives it.
 */
export const Batch = message({
  site: required(1, text(64)),
  author: required(2, bytes(32)),
  epoch: required(3, EpochId),
  firstSequence: required(4, sequenceNumber),
  /** Of the entry before the first; absent where the first opens the epoch and names the head before it. */
  previousHash: optional(5, bytes(HASH_BYTES)),
  /** Bytes of an EntryContent each. */
  contents: list(6, contentBytes, BATCH_ENTRIES_MAX),
  signature: required(7, bytes(64)),
});
export type Batch = Infer<typeof Batch>;

/** A file of batches. The files of two batches, one behind the other, are the file of both. */
export const BatchFile = message({ batches: list(1, Batch, 1_000_000) });

export const encodeBatch = (batch: Batch): Uint8Array => Batch.encode(batch);
/** Throws ERR_LEDGER_MALFORMED. */
export const decodeBatch = (bytes: Uint8Array): Batch => Batch.decode(bytes);

/** `entries` are consecutive, of one epoch, and the last is the one that `head` signs; `before` is the entry before them. */
export function batchOf(entries: readonly ChainedEntry[], before: Link | undefined, head: SignedHead): Batch {
  const [first] = entries;
  if (first === undefined) throw malformed('a batch without entries');
  return {
    site: head.site,
    author: head.author,
    epoch: head.epoch,
    firstSequence: first.sequence,
    ...(first.sequence > 1 && before !== undefined && { previousHash: before.hash }),
    contents: entries.map(({ content }) => content),
    signature: head.signature,
  };
}

/**
 * The entries of a batch with their hashes, and its head, when the author signed exactly these. With `last`, they must
 * also be the next after it.
 * Throws ERR_LEDGER_MALFORMED, ERR_LEDGER_ENTRY_MISSING, ERR_LEDGER_ENTRY_ALTERED or ERR_LEDGER_SIGNATURE_INVALID.
 */
export function verifyBatch(crypto: LedgerCrypto, batch: Batch, last?: Link): ChainedBatch {
  const chained = chainedBatch(crypto, batch, last);
  assertSigned(crypto, chained.head);
  return chained;
}

export interface ChainedBatch {
  readonly entries: readonly ChainedEntry[];
  readonly head: SignedHead;
}

/** The same where it is not known yet who signed it: for `assertSigned`. */
export function chainedBatch(
  crypto: LedgerCrypto,
  batch: Batch,
  last: Link | undefined = assumedLast(batch),
): ChainedBatch {
  const { site, author, epoch, signature } = batch;
  const entries: ChainedEntry[] = [];
  let link = last;
  for (const [index, content] of batch.contents.entries()) {
    link = nextLink(crypto, author, link, { epoch, sequence: batch.firstSequence + index, content }).link;
    entries.push({ ...link, content });
  }
  if (link === undefined || entries.length === 0) throw malformed('a batch without entries');
  return { entries, head: { site, author, epoch, sequence: link.sequence, hash: link.hash, signature } };
}

/** Throws ERR_LEDGER_SIGNATURE_INVALID. */
export function assertSigned(crypto: LedgerCrypto, head: SignedHead): void {
  if (isSignatureValid(crypto, head)) return;
  throw new SparcError('ERR_LEDGER_SIGNATURE_INVALID', 'the author did not sign these entries', {
    epoch: head.epoch.counter,
    sequence: head.sequence,
  });
}

/** The entry before a batch, as the batch itself has it; undefined at the start of a log. Throws ERR_LEDGER_MALFORMED. */
export function assumedLast({ epoch, firstSequence, previousHash, contents }: Batch): Link | undefined {
  if (previousHash !== undefined) return { epoch, sequence: firstSequence - 1, hash: previousHash };
  if (firstSequence !== 1 || contents[0] === undefined) throw malformed('a batch that names no entry before it');
  const { previous, predecessorLost } = EpochBody.decode(EntryContent.decode(contents[0]).body);
  return predecessorLost ? undefined : previous;
}
