import { sql, type Selectable } from 'kysely';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { PolicyImports, Transaction } from '../db/index.js';
import { audit } from '../users/index.js';
import { changeDraft, countAnew, saveObjects, type Query } from './draft-rows.js';
import { FirstLines } from './first-lines.js';
import { PeopleReader } from './people-reader.js';
import type { PeopleTable } from './people-table.js';
import type { DraftDeps } from './policy-draft.js';

/** Two million people with a card: so many keys of a table are remembered while it is checked, in 200 MB at the most. */
export const PEOPLE_ROWS_MAX = 2_097_152;
/** Problems that are kept of an import; all are counted. */
const PROBLEMS_MAX = 1_000;
const ENDED = 'the process ended meanwhile: import the table again';
const FAILED = 'the import was ended by a failure of the service, which its log names';
/** One that runs and has said nothing for so long has lost its process. */
const SILENT_MAX_MS = 60_000;

export interface ImportWish {
  readonly isDryRun: boolean;
  readonly by: string;
  /** The process ends: it is given up after the rows that are being saved. */
  readonly signal?: AbortSignal | undefined;
}

export interface LineProblem {
  readonly line: number;
  readonly message: string;
}

export interface ImportView {
  readonly id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly isDryRun: boolean;
  readonly checkedCount: number;
  readonly savedCount: number;
  /** Objects, not rows. */
  readonly createdCount: number;
  readonly changedCount: number;
  /** The first of them. */
  readonly problems: readonly LineProblem[];
  readonly problemCount: number;
  readonly startedUnixMs: number;
  readonly startedBy: string;
}

/**
 * Takes tables of people into a draft, in the background. The whole table is checked first, and one with a wrong line
 * changes nothing. One that was cut off in the middle is simply imported again.
 */
export class PeopleImport {
  constructor(
    private readonly deps: DraftDeps,
    private readonly rowsMax = PEOPLE_ROWS_MAX,
  ) {}

  /** `work` resolves when it is over, and rejects with what is no fault of the table or the draft. */
  async start(
    table: PeopleTable,
    { isDryRun, by, signal }: ImportWish,
  ): Promise<{ readonly id: string; readonly work: Promise<void> }> {
    const { tenant, site } = this.deps;
    const id = await this.#inTenant(async (transaction) => {
      const row = { tenant_id: tenant, site_id: site, state: 'running' as const, dry_run: isDryRun, started_by: by };
      const made = await transaction.query
        .insertInto('policy_imports')
        .values(row)
        .returning('id')
        .executeTakeFirstOrThrow();
      await audit(transaction, { tenant, name: by }, 'policy.import', site, { import: made.id, isDryRun });
      return made.id;
    });
    return { id, work: this.#run(id, table, { isDryRun, by, signal }) };
  }

  /** Throws ERR_POLICY_IMPORT_UNKNOWN. */
  async status(id: string): Promise<ImportView> {
    const row = await this.#inTenant(({ query }) =>
      query
        .selectFrom('policy_imports')
        .selectAll()
        .select(sql<boolean>`alive_at < now() - make_interval(secs => ${SILENT_MAX_MS / 1_000})`.as('isSilent'))
        .where('site_id', '=', this.deps.site)
        .where(sql`id::text`, '=', id)
        .executeTakeFirst(),
    );
    if (row === undefined) throw new SparcError('ERR_POLICY_IMPORT_UNKNOWN', `there is no import ${id}`);
    return viewOf(row, row.isSilent);
  }

  async #run(id: string, table: PeopleTable, wish: ImportWish): Promise<void> {
    const said = new Progress();
    let failure: Error | undefined;
    try {
      await this.#checkAll(id, table, said, wish);
      if (said.problemCount === 0 && !wish.isDryRun) await this.#saveAll(id, table, said, wish);
    } catch (error) {
      // What the database says may quote a row.
      said.complain(0, isSparcError(error) ? error.message : FAILED);
      if (!isSparcError(error)) failure = error as Error;
    }
    const state = said.problemCount === 0 ? 'done' : 'failed';
    await this.#inTenant(({ query }) => this.#say(query, id, said, state));
    if (failure !== undefined) throw failure;
  }

  async #checkAll(id: string, table: PeopleTable, said: Progress, { signal }: ImportWish): Promise<void> {
    const reader = new PeopleReader(this.deps, table.columns, (line, message) => said.complain(line, message));
    const earlier = new FirstLines();
    for (const rows of table.pieces()) {
      if (signal?.aborted === true) return said.complain(0, ENDED);
      const tooMany = rows[this.rowsMax - said.checked];
      if (tooMany !== undefined) return said.complain(tooMany.line, `there are more than ${this.rowsMax} rows`);
      await this.#inTenant(async ({ query }) => {
        await reader.read(query, rows, earlier);
        said.checked += rows.length;
        await this.#say(query, id, said);
      });
    }
  }

  async #saveAll(id: string, table: PeopleTable, said: Progress, { by, signal }: ImportWish): Promise<void> {
    const reader = new PeopleReader(this.deps, table.columns, (line, message) => said.complain(line, message));
    let countedAt = 0;
    for (const rows of table.pieces()) {
      if (signal?.aborted === true) return said.complain(0, ENDED);
      if (said.saved >= 2 * countedAt) {
        await countAnew(this.deps.database);
        countedAt = said.saved;
      }
      await this.#inTenant(async (transaction) => {
        const { query } = transaction;
        await changeDraft(query, this.deps);
        // What came in earlier pieces the draft has by now.
        const objects = await reader.read(query, rows, new FirstLines());
        // Somebody has changed the draft since it was checked.
        if (said.problemCount > 0) throw new SparcError('ERR_POLICY_DRAFT_STALE', 'the draft was changed meanwhile');
        const { created, changed } = await saveObjects(transaction, this.deps, by, objects);
        said.saved += rows.length;
        said.created += created;
        said.changed += changed;
        await this.#say(query, id, said);
      });
    }
  }

  #say(query: Query, id: string, said: Progress, state: PolicyImports['state'] = 'running'): Promise<unknown> {
    return query
      .updateTable('policy_imports')
      .set({
        state,
        checked_count: said.checked,
        saved_count: said.saved,
        created_count: said.created,
        changed_count: said.changed,
        problems: JSON.stringify(said.problems),
        problem_count: said.problemCount,
        alive_at: sql<Date>`now()`,
      })
      .where('id', '=', id)
      .execute();
  }

  #inTenant<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.deps.database.inTenant(this.deps.tenant, work);
  }
}

/** What is said of an import while it runs. */
class Progress {
  readonly problems: LineProblem[] = [];
  problemCount = 0;
  checked = 0;
  saved = 0;
  created = 0;
  changed = 0;

  complain(line: number, message: string): void {
    this.problemCount += 1;
    if (this.problems.length < PROBLEMS_MAX) this.problems.push({ line, message });
  }
}

function viewOf(row: Selectable<PolicyImports>, isSilent: boolean): ImportView {
  return {
    id: row.id,
    state: row.state === 'running' && isSilent ? 'failed' : row.state,
    isDryRun: row.dry_run,
    checkedCount: row.checked_count,
    savedCount: row.saved_count,
    createdCount: row.created_count,
    changedCount: row.changed_count,
    problems: row.problems as readonly LineProblem[],
    problemCount: row.problem_count,
    startedUnixMs: row.started_at.getTime(),
    startedBy: row.started_by,
  };
}
