import { Database } from '../platform/sqlite.js';
import { sparcVersion } from '../platform/sparc-version.js';
import type { PartRef } from '@sparc/protocol/policy-revision';

/**
 * Rises whenever the builder makes other rows of the same records; a test holds it to what it made of a policy. Another
 * release may refuse records that this one took, and the instants of a validity depend on the platform's list of time zones.
 */
const BUILDER = 1;
const BUILT_BY = `${BUILDER} ${sparcVersion()} ${process.version} tz ${process.versions.tz}`;

/** What a generation says of how it was made, as far as this version would make it the same way. */
export interface MadeOf {
  readonly parts: readonly PartRef[];
  readonly timeZone: string;
}

/** Beside the layout: nobody asks it but who makes the next generation, so one without it is read as well. */
export function writeMadeOf(db: Database, parts: readonly PartRef[], builtBy = BUILT_BY): void {
  db.exec('CREATE TABLE made_of (built_by TEXT NOT NULL, parts TEXT NOT NULL) STRICT');
  db.prepare('INSERT INTO made_of VALUES (?, ?)').run(builtBy, JSON.stringify(parts));
}

/** Undefined where it was made of no parts, or by another builder. `path`: a generation that is whole and authentic. */
export function readMadeOf(path: string): MadeOf | undefined {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'made_of'").get() === undefined) return undefined;
    const row = db
      .prepare<[string], { parts: string; timeZone: string }>(
        "SELECT parts, site ->> 'timeZone' AS timeZone FROM made_of, policy WHERE built_by = ?",
      )
      .get(BUILT_BY);
    return row && { parts: JSON.parse(row.parts) as readonly PartRef[], timeZone: row.timeZone };
  } finally {
    db.close();
  }
}
