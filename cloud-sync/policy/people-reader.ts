import { sql } from 'kysely';
import type { CsvRow } from './csv-rows.js';
import { problemsOf, storedObject, type StoredObject } from './draft-object.js';
import type { Query } from './draft-rows.js';
import type { FirstLines } from './first-lines.js';
import type { PolicyKind } from './kinds.js';
import { peopleRow, type PeopleColumn, type PeopleRow } from './people-row.js';
import type { DraftDeps } from './policy-draft.js';

/** `line`: the last that says something of it. */
type TakenObject = StoredObject & { readonly line: number };

/** Reads tables of people against a draft. */
export class PeopleReader {
  constructor(
    private readonly of: Pick<DraftDeps, 'site' | 'secrets'>,
    private readonly columns: readonly PeopleColumn[],
    private readonly complain: (line: number, message: string) => void,
  ) {}

  /**
   * What rows come to, on what the draft has; what is wrong with them is said. `earlier`: the holders, credentials and cards
   * of the rows before them that the draft does not have yet; those of these rows are added.
   */
  async read(query: Query, rows: readonly CsvRow[], earlier: FirstLines): Promise<readonly StoredObject[]> {
    const read = rows.flatMap(({ line, cells }) => {
      const row = peopleRow(this.columns, cells);
      if (typeof row !== 'string') return [{ line, row }];
      this.complain(line, row);
      return [];
    });
    const before = await this.#before(
      query,
      read.map(({ row }) => row),
    );
    const objects = new Map<string, TakenObject>();
    const take = (line: number, kind: PolicyKind, given: { readonly id: string }) => {
      const known = objects.get(`${kind} ${given.id}`) ?? before.get(`${kind} ${given.id}`);
      try {
        const object = storedObject(this.of.secrets, kind, { ...(known?.body as object), ...given }, known);
        objects.set(`${kind} ${given.id}`, { ...object, line });
      } catch (error) {
        for (const { path, message } of problemsOf(error)) this.complain(line, `${path}: ${message}`);
      }
    };
    for (const { line, row } of read) {
      const { holder, credential } = row;
      if (holder !== undefined) take(line, 'credentialHolders', holder);
      if (holder !== undefined) earlier.add(`holder ${holder.id}`, line);
      if (credential === undefined) continue;
      const { id, holder: of = '', accessProfiles = [] } = credential;
      if (earlier.of(`credential ${id}`) !== undefined) this.complain(line, `credential \`${id}\` is there twice`);
      earlier.add(`credential ${id}`, line);
      if (earlier.of(`holder ${of}`) === undefined && !before.has(`credentialHolders ${of}`)) {
        this.complain(line, `the draft has no holder \`${of}\`: say their name`);
      }
      for (const profile of accessProfiles) {
        if (!before.has(`accessProfiles ${profile}`))
          this.complain(line, `the draft has no access profile \`${profile}\``);
      }
      const isKnown = before.has(`credentials ${id}`);
      take(line, 'credentials', isKnown ? credential : { accessProfiles: [], ...credential });
    }
    await this.#complainOfCards(query, [...objects.values()], earlier);
    return [...objects.values()].map(({ line: _line, ...object }) => object);
  }

  /** What the draft has of what rows name, and its access profiles. */
  async #before(query: Query, rows: readonly PeopleRow[]): Promise<ReadonlyMap<string, StoredObject>> {
    const holders = rows.flatMap(({ holder, credential }) => [holder?.id, credential?.holder]);
    const credentials = rows.map(({ credential }) => credential?.id);
    const ids = (all: readonly (string | undefined)[]) => sql.val([...new Set(all.filter((id) => id !== undefined))]);
    const found = await query
      .selectFrom('policy_objects')
      .select(['kind', 'id', 'body', 'sealed', 'marks'])
      .where('site_id', '=', this.of.site)
      .where((row) =>
        row.or([
          row('kind', '=', 'accessProfiles'),
          row.and([row('kind', '=', 'credentialHolders'), sql<boolean>`id = any(${ids(holders)}::text[])`]),
          row.and([row('kind', '=', 'credentials'), sql<boolean>`id = any(${ids(credentials)}::text[])`]),
        ]),
      )
      .execute();
    return new Map(found.map((row) => [`${row.kind} ${row.id}`, { ...row, kind: row.kind as PolicyKind }]));
  }

  /** A card belongs to one credential, of the table and of the draft. */
  async #complainOfCards(query: Query, objects: readonly TakenObject[], earlier: FirstLines): Promise<void> {
    const marks = sql.val(objects.flatMap((each) => each.marks));
    const stored = await query
      .selectFrom('policy_marks')
      .select(['mark', 'id'])
      .where('site_id', '=', this.of.site)
      .where(sql<boolean>`mark = any(${marks}::text[])`)
      .execute();
    const owners = new Map(stored.map(({ mark, id }) => [mark, id]));
    for (const { id, line, marks } of objects) {
      const ownLine = earlier.of(`credential ${id}`) ?? line;
      for (const mark of marks) {
        const owner = owners.get(mark) ?? id;
        const cardLine = earlier.of(`card ${mark}`) ?? ownLine;
        if (owner !== id) this.complain(line, `credential \`${owner}\` has this card already`);
        else if (cardLine !== ownLine) this.complain(line, `line ${cardLine} has this card already`);
        else earlier.add(`card ${mark}`, ownLine);
      }
    }
  }
}
