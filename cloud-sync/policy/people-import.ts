import { sql, type Selectable } from 'kysely';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { PolicyImports, Transaction } from '../db/index.js';
import { audit } from '../users/index.js';
import { changeDraft, countAnew, saveObjects, type Query } from './draft-rows.js';
import { PeopleReader } from './people-reader.js';
import { PeopleTable } from './people-table.js';
import type { DraftDeps } from './policy-draft.js';

/** Problems that are kept of an import; all are counted. */
const PROBLEMS_MAX = 1_000;
/** One that runs and has said nothing for so long has lost its process. */
const SILENT_MAX_MS = 60_000;

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
  constructor(private readonly deps: DraftDeps) {}

  /** `work` resolves when it is over, and never rejects. Throws ERR_POLICY_INVALID for a text that is no table. */
  async start(
    text: string,
    { isDryRun, by }: { readonly isDryRun: boolean; readonly by: string },
  ): Promise<{ readonly id: string; readonly work: Promise<void> }> {
    const table = new PeopleTable(text);
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
    return { id, work: this.#run(id, table, isDryRun, by) };
  }

  /** Throws ERR_POLICY_DRAFT_ABSENT. */
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
    if (row === undefined) throw new SparcError('ERR_POLICY_DRAFT_ABSENT', 'there is no such import');
    return viewOf(row, row.isSilent);
  }

  async #run(id: string, table: PeopleTable, isDryRun: boolean, by: string): Promise<void> {
    const said = new Progress();
    let state: PolicyImports['state'] = 'failed';
    try {
      await this.#checkAll(id, table, said);
      if (said.problemCount === 0 && !isDryRun) await this.#saveAll(id, table, said, by);
      if (said.problemCount === 0) state = 'done';
    } catch (error) {
      // What the database says may quote a row.
      const message = isSparcError(error) ? error.message : 'the import was ended by a failure of the database';
      said.complain(0, message);
    }
    await this.#inTenant(({ query }) => this.#say(query, id, said, state)).catch(() => undefined);
  }

  async #checkAll(id: string, table: PeopleTable, said: Progress): Promise<void> {
    const reader = new PeopleReader(this.deps, table.columns, (line, message) => said.complain(line, message));
    for (const rows of table.pieces()) {
      await this.#inTenant(async ({ query }) => {
        await reader.read(query, rows);
        said.checked += rows.length;
        await this.#say(query, id, said);
      });
    }
  }

  async #saveAll(id: string, table: PeopleTable, said: Progress, by: string): Promise<void> {
    const reader = new PeopleReader(this.deps, table.columns, (line, message) => said.complain(line, message));
    let countedAt = 0;
    for (const rows of table.pieces()) {
      if (said.saved >= 2 * countedAt) {
        await countAnew(this.deps.database);
        countedAt = said.saved;
      }
      await this.#inTenant(async (transaction) => {
        const { query } = transaction;
        await changeDraft(query, this.deps);
        const objects = await reader.read(query, rows);
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
