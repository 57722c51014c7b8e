/** Codes of the database of the cloud tier. */
export const DATABASE_ERRORS = {
  ERR_DATABASE_UNREACHABLE: {
    meaning: 'The database does not answer, or refuses this login.',
    action: 'Check `DATABASE_URL`: host, port, name, login and certificate; and whether the server runs.',
  },
  ERR_DATABASE_IN_USE: {
    meaning: 'Another process has the embedded database open.',
    action: 'Stop the other process, or move to a PostgreSQL server, which many processes share.',
  },
  ERR_DATABASE_SCHEMA_OLD: {
    meaning: 'The database lacks what this version needs.',
    action: 'Run `sparc-cloud migrate`. What runs an older version goes on while it does.',
  },
  ERR_DATABASE_SCHEMA_NEW: {
    meaning: 'The database belongs to a later major version.',
    action: 'Install that version; this one would not keep what it does not know.',
  },
  ERR_DATABASE_BUSY: {
    meaning: 'A migration did not get its lock in time, because a long transaction or another migration is under way.',
    action: 'Nothing was changed by it. Run `sparc-cloud migrate` again; end long reports and dumps first.',
  },
  ERR_DATABASE_ROLES: {
    meaning: 'The roles of the database are missing, and this login may not make them.',
    action:
      'Run `sparc-cloud migrate` once with a login that may create roles with BYPASSRLS, or have somebody run `cloud-sync/db/roles.sql`.',
  },
} as const;
