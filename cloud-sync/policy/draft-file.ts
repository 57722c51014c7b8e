import { sql } from 'kysely';
import { parse, stringify } from 'yaml';
import type { Site, Transaction } from '../db/index.js';
import { invalidDraft, problemsOf, storedObject, type DraftProblem, type StoredObject } from './draft-object.js';
import { removeOthers, saveObjects, type Query, type Saved } from './draft-rows.js';
import type { DraftSecrets } from './draft-secrets.js';
import { idOf, isSingle, POLICY_KINDS, type PolicyKind } from './kinds.js';

/** About 60,000 credentials, as for a gateway; more come by CSV. */
export const SITE_FILE_LENGTH_MAX = 8 * 1_048_576;
/** Rows read at a time. */
const PAGE_ROWS = 5_000;

/** Every object of a draft, by kind and in the order of the ids. Whoever calls it holds the draft. */
async function* storedObjects(query: Query, site: string): AsyncGenerator<StoredObject> {
  for (const kind of POLICY_KINDS) {
    for (let last: string | undefined = ''; last !== undefined;) {
      const rows: StoredObject[] = await query
        .selectFrom('policy_objects')
        .select(['id', 'body', 'sealed', 'marks'])
        .where('site_id', '=', site)
        .where('kind', '=', kind)
        .where('id', '>', last)
        .orderBy('id')
        .limit(PAGE_ROWS)
        .execute()
        .then((page) => page.map((row) => ({ kind, ...row })));
      yield* rows;
      last = rows.length < PAGE_ROWS ? undefined : rows.at(-1)?.id;
    }
  }
}

/** YAML, without what is sealed. What it brings back when it is taken in again keeps its cards and PINs. */
export async function exportDraft(query: Query, site: string): Promise<string> {
  const file = new Map<string, unknown>([['version', 1]]);
  for (const kind of POLICY_KINDS) if (!isSingle(kind)) file.set(kind, []);
  for await (const { kind, body } of storedObjects(query, site)) {
    if (isSingle(kind)) file.set(kind, body);
    else (file.get(kind) as unknown[]).push(body);
  }
  return stringify(Object.fromEntries(file));
}

/**
 * Puts a site file in the place of the whole draft. Credentials that the draft has keep the cards and PINs that the file
 * does not name. Throws ERR_POLICY_INVALID, with all problems of single objects.
 */
export async function importDraft(
  transaction: Transaction,
  secrets: DraftSecrets,
  of: Site,
  by: string,
  text: string,
): Promise<Saved & { readonly removed: number }> {
  const file = parsed(text);
  const before = await sealedBefore(transaction.query, of.site, file);
  const problems: DraftProblem[] = [];
  const objects = new Map<string, StoredObject>();
  for (const [kind, given] of givenObjects(file)) {
    const id = idOf(kind, given);
    try {
      const object = storedObject(secrets, kind, given, kind === 'credentials' ? before.get(id ?? '') : undefined);
      const name = `${kind} ${object.id}`;
      if (objects.has(name)) problems.push({ kind, id: object.id, path: 'id', message: 'is there twice' });
      objects.set(name, object);
    } catch (error) {
      problems.push(...problemsOf(error));
    }
  }
  problems.push(...cardsThere([...objects.values()]));
  if (problems.length > 0) throw invalidDraft(problems);
  const saved = await saveObjects(transaction, of, by, [...objects.values()]);
  return { ...saved, removed: await removeOthers(transaction, of) };
}

/** Credentials that the draft has of those that the file names. */
async function sealedBefore(
  query: Query,
  site: string,
  file: Readonly<Record<string, unknown>>,
): Promise<ReadonlyMap<string, Pick<StoredObject, 'id' | 'sealed'>>> {
  const ids = [...givenObjects(file)].flatMap(([kind, given]) => (kind === 'credentials' && idOf(kind, given)) || []);
  const rows = await query
    .selectFrom('policy_objects')
    .select(['id', 'sealed'])
    .where('site_id', '=', site)
    .where('kind', '=', 'credentials')
    .where(sql<boolean>`id = any(${sql.val(ids)}::text[])`)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/** A card that two credentials have. */
function cardsThere(objects: readonly StoredObject[]): DraftProblem[] {
  const owners = new Map<string, string>();
  return objects.flatMap(({ kind, id, marks }) =>
    marks.flatMap((mark) => {
      const owner = owners.get(mark) ?? id;
      owners.set(mark, owner);
      return owner === id ? [] : [{ kind, id, path: 'identifiers', message: `has a card that \`${owner}\` has` }];
    }),
  );
}

function* givenObjects(file: Readonly<Record<string, unknown>>): Generator<[PolicyKind, unknown]> {
  for (const kind of POLICY_KINDS) {
    const given = file[kind];
    if (given === undefined) continue;
    if (isSingle(kind)) yield [kind, given];
    else if (!Array.isArray(given)) throw wholeFile(`${kind} is no list`);
    else for (const one of given) yield [kind, one];
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  if (text.length > SITE_FILE_LENGTH_MAX) {
    throw wholeFile(`it is ${text.length} characters long; the most is ${SITE_FILE_LENGTH_MAX}`);
  }
  let file: unknown;
  try {
    file = parse(text, { maxAliasCount: 100, prettyErrors: false });
  } catch (error) {
    throw wholeFile((error as Error).message);
  }
  if (typeof file !== 'object' || file === null || Array.isArray(file)) throw wholeFile('it is no site file');
  const { version, ...rest } = file as Record<string, unknown>;
  if (version !== 1) throw wholeFile('it does not say `version: 1`');
  const unknown = Object.keys(rest).find((name) => !POLICY_KINDS.some((kind) => kind === name));
  if (unknown !== undefined) throw wholeFile(`\`${unknown.slice(0, 64)}\` is no known field`);
  return rest;
}

const wholeFile = (message: string) => invalidDraft([{ kind: 'site', path: '', message }]);
