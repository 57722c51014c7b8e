import type { Database } from 'better-sqlite3';

/**
 * Steps from an empty database to the present layout; `user_version` counts those that were taken. Terms are those of
 * ONVIF PACS. What a site has a handful of is kept as its definition in the site file, its references as indexed columns;
 * what grows with the population has plain columns and integer keys, so that a decision costs few page reads.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE policy (revision TEXT NOT NULL, site TEXT NOT NULL) STRICT;

  CREATE TABLE card_format (position INTEGER PRIMARY KEY, definition TEXT NOT NULL) STRICT;
  CREATE TABLE device (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, definition TEXT NOT NULL,
    bus TEXT NOT NULL AS (definition ->> 'bus') STORED,
    address INTEGER NOT NULL AS (definition ->> 'address') STORED,
    UNIQUE (bus, address)
  ) STRICT;
  CREATE TABLE reader (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, definition TEXT NOT NULL,
    device TEXT NOT NULL AS (definition ->> 'device') STORED REFERENCES device (id)
  ) STRICT;
  CREATE TABLE input (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, definition TEXT NOT NULL,
    device TEXT NOT NULL AS (definition ->> 'device') STORED REFERENCES device (id)
  ) STRICT;
  CREATE TABLE output (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, definition TEXT NOT NULL,
    device TEXT NOT NULL AS (definition ->> 'device') STORED REFERENCES device (id)
  ) STRICT;
  CREATE TABLE area (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, definition TEXT NOT NULL) STRICT;
  CREATE TABLE special_day_group (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, definition TEXT NOT NULL) STRICT;
  CREATE TABLE schedule (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, definition TEXT NOT NULL) STRICT;
  CREATE TABLE door (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, definition TEXT NOT NULL,
    output TEXT NOT NULL UNIQUE AS (definition ->> '$.lock.output') STORED REFERENCES output (id),
    contact TEXT UNIQUE AS (definition ->> '$.contact.input') STORED REFERENCES input (id),
    exit_request TEXT UNIQUE AS (definition ->> '$.exitRequest.input') STORED REFERENCES input (id),
    unlock_schedule TEXT AS (definition ->> 'unlockSchedule') STORED REFERENCES schedule (id)
  ) STRICT;
  CREATE TABLE access_point (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, definition TEXT NOT NULL,
    door TEXT NOT NULL AS (definition ->> 'door') STORED REFERENCES door (id),
    reader TEXT NOT NULL UNIQUE AS (definition ->> 'reader') STORED REFERENCES reader (id),
    area_from TEXT AS (definition ->> 'areaFrom') STORED REFERENCES area (id),
    area_to TEXT AS (definition ->> 'areaTo') STORED REFERENCES area (id)
  ) STRICT;

  CREATE TABLE access_profile (access_profile INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL) STRICT;
  CREATE TABLE access_policy (
    access_profile INTEGER NOT NULL REFERENCES access_profile,
    access_point TEXT NOT NULL REFERENCES access_point (id),
    schedule TEXT NOT NULL REFERENCES schedule (id),
    PRIMARY KEY (access_profile, access_point, schedule)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE credential_holder (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- A decision asks only this small index: a holder who is not in it is active.
  CREATE INDEX holder_not_active ON credential_holder (id, status) WHERE status <> 'active';
  CREATE TABLE credential (
    credential INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    holder TEXT NOT NULL REFERENCES credential_holder (id),
    status TEXT NOT NULL,
    valid_from_unix_ms INTEGER, valid_to_unix_ms INTEGER, -- the end is exclusive
    pin_hash BLOB
  ) STRICT;
  CREATE TABLE credential_identifier (
    identifier_key TEXT PRIMARY KEY, credential INTEGER NOT NULL REFERENCES credential, issue INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE credential_access_profile (
    credential INTEGER NOT NULL REFERENCES credential,
    access_profile INTEGER NOT NULL REFERENCES access_profile,
    PRIMARY KEY (credential, access_profile)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE credential ADD COLUMN duress_pin_hash BLOB;
  ALTER TABLE credential ADD COLUMN override INTEGER NOT NULL DEFAULT 0;
  `,
  `
  ALTER TABLE credential ADD COLUMN uses_max INTEGER;
  CREATE INDEX credential_limited ON credential (id, uses_max) WHERE uses_max IS NOT NULL;
  ALTER TABLE credential ADD COLUMN extended_time INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE access_policy ADD COLUMN may TEXT; -- a JSON list
  ALTER TABLE credential_holder ADD COLUMN clearance INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE credential_holder ADD COLUMN escort_required INTEGER NOT NULL DEFAULT 0;
  -- What a decision asks of the holder stands with the credential: one look-up less, and a generation never changes.
  ALTER TABLE credential ADD COLUMN holder_status TEXT NOT NULL DEFAULT 'active';
  ALTER TABLE credential ADD COLUMN clearance INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE credential ADD COLUMN escort_required INTEGER NOT NULL DEFAULT 0;
  DROP INDEX holder_not_active;
  CREATE TABLE linkage_rule (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, definition TEXT NOT NULL) STRICT;
  `,
  `
  CREATE TABLE absorbed_directive (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, definition TEXT NOT NULL) STRICT;
  `,
];

/** Layout of the generations that this version writes and reads. */
export const SCHEMA_VERSION = MIGRATIONS.length;

export function schemaVersionOf(db: Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}

/** Brings a database of any older layout to the present one. */
export function migrate(db: Database): void {
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index < schemaVersionOf(db)) continue;
    db.exec(step);
    db.pragma(`user_version = ${index + 1}`);
  }
}
