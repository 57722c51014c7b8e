import type { Selectable } from 'kysely';
import type { EpochId, Link, SignedHead } from '@sparc/protocol/ledger';
import { epochName, type AuthorLog, type HeldEpoch } from '@sparc/protocol/replication';
import type { AuthorHeads } from '../db/index.js';

/** What is stored of the log of one author. */
export interface StoredLog {
  readonly log: AuthorLog;
  /** Names of epochs of which a fork was seen: nothing more of them is taken. */
  readonly stopped: ReadonlySet<string>;
  /** Entries of which only a digest came. */
  readonly emptiedCount: number;
}

type Row = Selectable<AuthorHeads>;

/** All rows of one author. */
export function storedLog(rows: readonly Row[]): StoredLog {
  return {
    log: rows.map(heldEpoch),
    emptiedCount: rows.reduce((sum, { emptied_count: count }) => sum + count, 0),
    stopped: new Set(rows.filter(({ stopped_at }) => stopped_at !== null).map((row) => epochName(epochOf(row)))),
  };
}

const epochOf = ({ epoch, epoch_random }: Row): EpochId => ({ counter: epoch, random: plain(epoch_random) });

function heldEpoch(row: Row): HeldEpoch {
  const head: SignedHead = {
    site: row.signed_site,
    author: plain(row.author),
    epoch: epochOf(row),
    sequence: row.sequence,
    hash: plain(row.hash),
    signature: plain(row.signature),
  };
  const previous = previousOf(row);
  return { head, ...(previous !== undefined && { previous }) };
}

function previousOf(row: Row): Link | undefined {
  const { previous_epoch, previous_epoch_random, previous_sequence, previous_hash } = row;
  if (previous_epoch === null || previous_epoch_random === null || previous_sequence === null) return undefined;
  if (previous_hash === null) return undefined;
  return {
    epoch: { counter: previous_epoch, random: plain(previous_epoch_random) },
    sequence: previous_sequence,
    hash: plain(previous_hash),
  };
}

/** The driver hands out views of its buffers. */
const plain = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);
