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
} as const;
