import {
  BATCH_ENTRIES_MAX,
  bytes,
  contentBytes,
  EpochId,
  HASH_BYTES,
  list,
  message,
  required,
  sequenceNumber,
} from '@sparc/protocol/ledger';

/** The entry before the first of an epoch. */
export const PreviousLink = message({
  epoch: required(1, EpochId),
  sequence: required(2, sequenceNumber),
  hash: required(3, bytes(HASH_BYTES)),
});

/** Contents of the entries of one row. */
export const Contents = message({ contents: list(1, contentBytes, BATCH_ENTRIES_MAX) });

/** Schema versions in order; `user_version` counts those applied. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE epoch (
     epoch INTEGER PRIMARY KEY,
     author BLOB NOT NULL,
     counter INTEGER NOT NULL,
     random BLOB NOT NULL,
     site TEXT NOT NULL,
     previous BLOB, -- the entry before its first, as a PreviousLink
     size_bytes INTEGER NOT NULL DEFAULT 0, -- of the contents and hashes of its entries
     UNIQUE (author, counter, random)
   ) STRICT;
   -- Consecutive entries that came together, in one row: a row for each entry costs ten times as much.
   CREATE TABLE batch (
     epoch INTEGER NOT NULL REFERENCES epoch,
     last INTEGER NOT NULL, -- sequence of the last of them
     signature BLOB NOT NULL, -- of the head over the last of them
     hashes BLOB NOT NULL, -- of all of them, one behind the other
     contents BLOB NOT NULL, -- of all of them, as Contents
     PRIMARY KEY (epoch, last)
   ) STRICT;
   -- Two signed heads that an honest author never signs both.
   CREATE TABLE fork (
     name TEXT PRIMARY KEY,
     kind TEXT NOT NULL,
     first BLOB NOT NULL,
     second BLOB NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `-- Sequence of the entry up to which those that pass were emptied; 0: none.
   ALTER TABLE epoch ADD COLUMN emptied_to INTEGER NOT NULL DEFAULT 0;`,
];
