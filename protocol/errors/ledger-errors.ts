/** Codes of the journal and of ledger verification. */
export const LEDGER_ERRORS = {
  ERR_LEDGER_RACE_LOST: {
    meaning: 'The policy moved between the decision and its record.',
    action: 'None: the gateway decides again.',
  },
  ERR_LEDGER_WRITE_FAILED: {
    meaning: 'The journal could not write or flush an entry.',
    action: 'Check the disk of the data directory: space, health, permissions.',
  },
  ERR_LEDGER_QUEUE_FULL: {
    meaning: 'More entries wait for the disk than the journal holds.',
    action: 'Check the disk of the data directory: it is slower than the events come.',
  },
  ERR_LEDGER_STOPPED: {
    meaning: 'The journal is not running.',
    action: 'It is restarted by the gateway; see the log for the reason.',
  },
  ERR_LEDGER_MALFORMED: {
    meaning: 'Bytes that are no ledger entry, head or batch, or a record that does not fit into one.',
    action: 'Received bytes are refused. For a record of the gateway itself, report it: it is a defect.',
  },
  ERR_LEDGER_ENTRY_MISSING: {
    meaning: 'An entry is missing from the log, or entries are out of order.',
    action: 'Keep the file as evidence, and compare it with a backup or an export.',
  },
  ERR_LEDGER_ENTRY_ALTERED: {
    meaning: 'An entry is not what its author wrote.',
    action: 'Keep the file as evidence, and compare it with a backup or an export. Check the disk.',
  },
  ERR_LEDGER_TAIL_MISSING: {
    meaning: 'A signed head proves that the log once went further than it does.',
    action: 'Keep the file as evidence. If a backup was restored, this is what it lost.',
  },
  ERR_LEDGER_HEAD_MISSING: {
    meaning: 'Entries at the end of the log are covered by no signed head.',
    action: 'Keep the file as evidence; only what the last head covers is proven.',
  },
  ERR_LEDGER_SIGNATURE_INVALID: {
    meaning: 'A head is not signed by the author of the log.',
    action: 'Keep the file as evidence: it was altered, or forged with another key.',
  },
  ERR_LEDGER_AUTHOR_MISMATCH: {
    meaning: 'The log belongs to another gateway key than the one expected.',
    action: "Check the data directory, and whether the gateway's key was replaced.",
  },
  ERR_LEDGER_RECOVERY_ALTERED: {
    meaning: 'What the journal keeps for its next start does not follow from its entries.',
    action:
      'The entries that are there are whole, but later ones may be cut off: compare with a backup or a head kept elsewhere (`--expect-head`). Keep the file as evidence; check the disk.',
  },
  ERR_LEDGER_CORRUPT: {
    meaning: 'The database file of the journal is damaged or of an unknown version.',
    action:
      'The gateway moves it aside as journal.corrupt-N.db and begins a new journal. Keep the file as evidence; check the disk.',
  },
  ERR_LEDGER_IN_USE: {
    meaning: 'Another process writes to the same journal.',
    action: 'Run one gateway for a data directory only.',
  },
  ERR_LEDGER_ABSENT: {
    meaning: 'There is no journal at this path, or it cannot be opened.',
    action: 'Check the path and its permissions; a gateway makes its journal at its first start.',
  },
  ERR_LEDGER_NO_DECISION: {
    meaning: 'The journal has no decision under this number.',
    action: 'Take the number of an `access.*` entry from `sparc ledger export`, as EPOCH.SEQUENCE.',
  },
  ERR_LEDGER_EMPTIED: {
    meaning: 'The entry is older than seven days, and what it said is no longer here: the cloud has it.',
    action: 'Look it up in the cloud.',
  },
} as const;
