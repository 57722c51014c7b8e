import { generationFiles, readPointer } from './generation-files.js';
import { openGeneration } from './open-generation.js';
import { PLAN_TABLES } from './site-plan.js';

/** What makes up an entry of each list of a site file, as rows of its id and a text; `?` stands for the schema. */
const LISTS: readonly (readonly [list: string, table: string, rows: string])[] = [
  ['site', 'policy', "SELECT 'site' AS id, site AS text FROM ?.policy"],
  ['cardFormats', 'card_format', "SELECT definition ->> 'id' AS id, definition AS text FROM ?.card_format"],
  ...PLAN_TABLES.map(
    ([table, list]) => [list, table, `SELECT id, definition AS text FROM ?.${table}`] as [string, string, string],
  ),
  [
    'accessProfiles',
    'access_profile',
    `SELECT id, name AS text FROM ?.access_profile
     UNION ALL SELECT id, json_array(access_point, schedule, may) FROM ?.access_policy JOIN ?.access_profile USING (access_profile)`,
  ],
  [
    'credentialHolders',
    'credential_holder',
    'SELECT id, json_array(name, status, clearance, escort_required) AS text FROM ?.credential_holder',
  ],
  [
    'credentials',
    'credential',
    `SELECT id, json_array(holder, status, valid_from_unix_ms, valid_to_unix_ms, hex(pin_hash), hex(duress_pin_hash),
       override, uses_max, extended_time) AS text FROM ?.credential
     UNION ALL SELECT id, json_array(identifier_key, issue) FROM ?.credential_identifier JOIN ?.credential USING (credential)
     UNION ALL SELECT c.id, p.id FROM ?.credential_access_profile
       JOIN ?.credential c USING (credential) JOIN ?.access_profile p USING (access_profile)`,
  ],
];

const ID_OF: Readonly<Record<string, string>> = { policy: "'site'", card_format: "definition ->> 'id'" };

interface Counts {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

/**
 * How the generation in force differs from `before`, the pointer of the time before it: counts by list of the site file,
 * such as `doors: 1 added; credentials: 2 added, 1 removed`. Reads both whole. What cannot be compared is said, not thrown.
 */
export function policyChanges(dataDir: string, before: ReturnType<typeof readPointer>): string {
  const now = readPointer(dataDir);
  if (typeof before !== 'number' || typeof now !== 'number') return 'everything: there was none before';
  try {
    return compare(dataDir, before, now);
  } catch (error) {
    return `not known: ${(error as Error).message}`;
  }
}

function compare(dataDir: string, before: number, now: number): string {
  const db = openGeneration(generationFiles(dataDir, now).database);
  try {
    db.prepare('ATTACH ? AS old').run(generationFiles(dataDir, before).database);
    if (db.pragma('old.user_version', { simple: true }) !== db.pragma('main.user_version', { simple: true })) {
      return 'not known: the generation before has another layout';
    }
    const changes = LISTS.flatMap(([list, table, rows]) => {
      const [main, old] = ['main', 'old'].map((schema) => rows.replaceAll('?', schema));
      const has = (schema: string) =>
        `EXISTS (SELECT 1 FROM ${schema}.${table} WHERE ${ID_OF[table] ?? `${schema}.${table}.id`} = differing.id)`;
      const counts = db
        .prepare(
          `WITH differing AS (
             SELECT DISTINCT id FROM (SELECT * FROM (${main}) UNION ALL SELECT * FROM (${old}))
             GROUP BY id, text HAVING count(*) = 1
           ), known AS (SELECT ${has('main')} AS is_now, ${has('old')} AS was FROM differing)
           SELECT count(*) FILTER (WHERE NOT was) AS added, count(*) FILTER (WHERE NOT is_now) AS removed,
             count(*) FILTER (WHERE was AND is_now) AS changed FROM known`,
        )
        .get() as Counts;
      return textOf(list, counts);
    });
    return changes.join('; ') || 'none';
  } finally {
    db.close();
  }
}

function textOf(list: string, counts: Counts): string[] {
  const parts = (['added', 'removed', 'changed'] as const).flatMap((kind) =>
    counts[kind] > 0 ? [`${counts[kind]} ${kind}`] : [],
  );
  return parts.length > 0 ? [`${list}: ${parts.join(', ')}`] : [];
}
