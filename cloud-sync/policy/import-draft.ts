import { sql } from 'kysely';
import type { Site, Transaction } from '../db/index.js';
import { turn } from '../platform/index.js';
import { invalidDraft, problemsOf, storedObject, type DraftProblem, type StoredObject } from './draft-object.js';
import { DRAFT_PROBLEMS_MAX } from './draft-reader.js';
import { removeOthers, saveObjects, type Query, type Saved } from './draft-rows.js';
import type { DraftSecrets } from './draft-secrets.js';
import { idOf } from './kinds.js';
import type { GivenObjects } from './read-site-file.js';

/**
 * Puts a site file in the place of the whole draft. Credentials that the draft has keep the cards and PINs that the file
 * does not name. Throws ERR_POLICY_INVALID, with the problems of single objects as far as DRAFT_PROBLEMS_MAX.
 */
export async function importDraft(
  transaction: Transaction,
  secrets: DraftSecrets,
  of: Site,
  by: string,
  pieces: readonly GivenObjects[],
): Promise<Saved & { readonly removed: number }> {
  const taken = new TakenObjects(secrets);
  for (const piece of pieces) {
    taken.take(piece, await sealedBefore(transaction.query, of.site, piece));
    // What is in memory already never waits, and would keep everybody else waiting.
    await turn();
  }
  if (taken.problems.length > 0) throw invalidDraft(taken.problems);
  const saved = await saveObjects(transaction, of, by, [...taken.objects.values()]);
  return { ...saved, removed: await removeOthers(transaction, of) };
}

/** Those of the given credentials that the draft has. */
async function sealedBefore(query: Query, site: string, { kind, given }: GivenObjects): Promise<SealedBefore> {
  if (kind !== 'credentials') return new Map();
  const ids = given.map((one) => idOf(kind, one)).filter((id) => id !== undefined);
  const rows = await query
    .selectFrom('policy_objects')
    .select(['id', 'sealed'])
    .where('site_id', '=', site)
    .where('kind', '=', kind)
    .where(sql<boolean>`id = any(${sql.val(ids)}::text[])`)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

type SealedBefore = ReadonlyMap<string, Pick<StoredObject, 'id' | 'sealed'>>;

/** What is to be saved, each checked by itself, and each card of one credential. */
class TakenObjects {
  readonly problems: DraftProblem[] = [];
  /** By kind and id. */
  readonly objects = new Map<string, StoredObject>();
  /** Credentials by the marks of their cards. */
  readonly #owners = new Map<string, string>();

  constructor(private readonly secrets: DraftSecrets) {}

  take({ kind, given }: GivenObjects, before: SealedBefore): void {
    for (const one of given) {
      if (this.problems.length >= DRAFT_PROBLEMS_MAX) return;
      try {
        this.#add(storedObject(this.secrets, kind, one, before.get(idOf(kind, one) ?? '')));
      } catch (error) {
        this.problems.push(...problemsOf(error));
      }
    }
  }

  #add(object: StoredObject): void {
    const { kind, id, marks } = object;
    const name = `${kind} ${id}`;
    if (this.objects.has(name)) this.problems.push({ kind, id, path: 'id', message: 'is there twice' });
    this.objects.set(name, object);
    for (const mark of marks) {
      const owner = this.#owners.get(mark) ?? id;
      this.#owners.set(mark, owner);
      if (owner !== id)
        this.problems.push({ kind, id, path: 'identifiers', message: `has a card that \`${owner}\` has` });
    }
  }
}
