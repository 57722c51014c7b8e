import { bytes, EpochId, HASH_BYTES, message, required, sequenceNumber } from '@sparc/protocol/ledger';

/** The entry before the first of an epoch. */
export const PreviousLink = message({
  epoch: required(1, EpochId),
  sequence: required(2, sequenceNumber),
  hash: required(3, bytes(HASH_BYTES)),
});

/** Schema versions in order; `user_version` counts those applied. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE epoch (
     epoch INTEGER PRIMARY KEY,
     author BLOB NOT NULL,
     counter INTEGER NOT NULL,
     random BLOB NOT NULL,
     site TEXT NOT NULL,
     previous BLOB, -- the entry before its first, as a PreviousLink
     UNIQUE (author, counter, random)
   ) STRICT;
   CREATE TABLE entry (
     epoch INTEGER NOT NULL REFERENCES epoch,
     sequence INTEGER NOT NULL,
     hash BLOB NOT NULL,
     content BLOB NOT NULL,
     PRIMARY KEY (epoch, sequence)
   ) STRICT, WITHOUT ROWID;
   -- One row a stored batch; the hash it signs is that of its entry.
   CREATE TABLE head (
     epoch INTEGER NOT NULL REFERENCES epoch,
     sequence INTEGER NOT NULL,
     signature BLOB NOT NULL,
     PRIMARY KEY (epoch, sequence)
   ) STRICT, WITHOUT ROWID;
   -- Two signed heads that an honest author never signs both.
   CREATE TABLE fork (
     name TEXT PRIMARY KEY,
     kind TEXT NOT NULL,
     first BLOB NOT NULL,
     second BLOB NOT NULL
   ) STRICT, WITHOUT ROWID;`,
];
