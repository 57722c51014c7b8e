/** Codes of the database of the cloud tier. */
export const DATABASE_ERRORS = {
  ERR_DATABASE_UNREACHABLE: {
    meaning: 'The database does not answer, or refuses this login.',
    action:
      'Check `DATABASE_URL`: host, port, name, login and certificate, and whether the server runs; or the folder, and who may write there.',
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
    meaning: 'What is to be changed was locked for too long by a long transaction, or by another migration.',
    action:
      'Nothing was changed. Try again after half a minute, when a transaction of a machine that is gone has been ended; before `sparc-cloud migrate` end long reports and dumps.',
  },
  ERR_DATABASE_SLOW: {
    meaning: 'What was to be read took longer than anybody may keep the database from others.',
    action:
      'Ask for less: for a shorter time, or for one gateway. Where everything is slow, see the load of the server.',
  },
  ERR_DATABASE_TEXT_INVALID: {
    meaning: 'A text holds the character NUL (U+0000), which the database cannot keep.',
    action: 'Nothing was changed. Take the character out.',
  },
  ERR_DATABASE_KEY_OTHER: {
    meaning:
      'What is in the database was sealed with another key than `sites.key` of `AUTHORITY_KEYS_DIR`, or that file was missing and a new one was made.',
    action:
      'Nothing was changed. Give every process the same `AUTHORITY_KEYS_DIR`, or bring the folder back from its own backup. Without that key what is sealed cannot be read any more.',
  },
  ERR_DATABASE_SEAL_BROKEN: {
    meaning:
      'Something sealed in the database is not as this installation sealed it: it was altered, or stands in the place of something else.',
    action:
      'Nothing of it was used. Find out who wrote to the database past this program, and restore the last good backup; gateways still hold the logs of their site.',
  },
  ERR_DATABASE_ROLES: {
    meaning: 'The roles of the database are missing, and this login may not make them.',
    action:
      'Run `sparc-cloud migrate` once with a login that may create roles with BYPASSRLS, or have somebody run `cloud-sync/db/roles.sql`.',
  },
  ERR_DATABASE_TENANT_UNKNOWN: {
    meaning: 'There is no tenant with this id.',
    action: 'See `sparc-cloud tenant list`.',
  },
  ERR_DATABASE_SITE_UNKNOWN: {
    meaning: 'The tenant has no site with this id.',
    action: 'See the sites of the tenant; `sparc-cloud site create` makes one.',
  },
  ERR_DATABASE_TOOL: {
    meaning: 'A program of PostgreSQL that dumps or restores is missing, or has failed.',
    action: "Install PostgreSQL's client programs, of the server's version or later; see what the program said.",
  },
  ERR_DATABASE_NOT_EMPTY: {
    meaning: 'A backup is restored into an empty database only, and this one has something.',
    action: 'Name a new database, or a new folder, by `DATABASE_URL`. The old one stays as it is.',
  },
  ERR_DATABASE_BACKUP_KIND: {
    meaning: 'A backup of the embedded database is given to a server, or one of a server to the embedded database.',
    action: 'Restore it into what it was made of, named by `DATABASE_URL`.',
  },
  ERR_DATABASE_BACKUP_DAMAGED: {
    meaning: 'A backup is not as it was written: a file of it is missing or altered.',
    action: 'Take another backup. Check the disk that this one lay on.',
  },
  ERR_DATABASE_BACKUP_DIFFERS: {
    meaning: 'The database does not hold what the backup counted when it was made.',
    action: 'Just after a restore: do not go on with this database, and restore again. Later it is what changed since.',
  },
} as const;
