import type { RevisionChange } from '@sparc/protocol/policy-revision';
import type { Database } from '../platform/sqlite.js';
import { PLAN_TABLES } from './site-plan.js';

/**
 * Leaves in a copy of a generation the people outside of `gaps`, and nothing else. What this session of the database keeps
 * in temporary tables, `settlePeople` needs. References are not looked at: SQLite would search all credentials for each
 * holder who goes.
 */
export function leavePeople(db: Database, { holders, credentials }: RevisionChange['gaps']): void {
  db.pragma('temp_store = MEMORY');
  db.pragma('foreign_keys = OFF');
  db.exec(`
    BEGIN;
    CREATE TEMP TABLE profile_before AS SELECT access_profile, id FROM access_profile;
    CREATE TEMP TABLE gone_holder (id TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TEMP TABLE gone_credential (credential INTEGER PRIMARY KEY);`);
  const noteHolders = db.prepare('INSERT INTO gone_holder SELECT id FROM credential_holder WHERE id > ? AND id < ?');
  for (const { after, before } of holders) noteHolders.run(after, before);
  const noteCredentials = db.prepare(
    'INSERT INTO gone_credential SELECT credential FROM credential WHERE id > ? AND id < ?',
  );
  for (const { after, before } of credentials) noteCredentials.run(after, before);
  const all = ['policy', 'card_format', ...PLAN_TABLES.map(([table]) => table), 'access_policy', 'access_profile'];
  db.exec(`
    DELETE FROM credential_identifier WHERE credential IN (SELECT credential FROM gone_credential);
    DELETE FROM credential_access_profile WHERE credential IN (SELECT credential FROM gone_credential);
    DELETE FROM credential WHERE credential IN (SELECT credential FROM gone_credential);
    DELETE FROM credential_holder WHERE id IN (SELECT id FROM gone_holder);
    ${all.map((table) => `DELETE FROM ${table};`).join('\n')}
    DROP TABLE made_of;
    COMMIT;`);
}

/**
 * Once those of the gaps are there again: credentials that stayed say of their holders what holds now, as SQLite refuses
 * for a holder who is gone. False where there are not as many people as signed, or profiles have other numbers than those
 * that the credentials that stayed have.
 */
export function settlePeople(db: Database, counts: RevisionChange['counts']): boolean {
  db.exec(`
    UPDATE credential SET (holder_status, clearance, escort_required) =
      (SELECT h.status, h.clearance, h.escort_required FROM credential_holder h WHERE h.id = credential.holder)
    WHERE holder IN (SELECT id FROM gone_holder)`);
  const count = (table: string) => db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get();
  const profiles = (table: string) =>
    JSON.stringify(db.prepare(`SELECT access_profile, id FROM ${table} ORDER BY access_profile`).all());
  return (
    count('credential_holder') === counts.holders &&
    count('credential') === counts.credentials &&
    profiles('access_profile') === profiles('profile_before')
  );
}
