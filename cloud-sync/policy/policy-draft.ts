import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import { SparcError } from '@sparc/protocol/errors';
import type { Database, PolicyObjects, Site, Transaction } from '../db/index.js';
import { audit } from '../users/index.js';
import { invalidDraft, secretsOf, storedObject, type StoredObject } from './draft-object.js';
import { changeDraft, saveObjects, type Query } from './draft-rows.js';
import type { DraftSecrets } from './draft-secrets.js';
import { isSingle, type PolicyKind } from './kinds.js';
import { reinstate, revokedBy } from './revoked-objects.js';

/** An object of a draft, as it is shown. */
export interface PolicyObject {
  readonly kind: PolicyKind;
  readonly id: string;
  /** Rises with every change: whoever changes it names the one that they read. */
  readonly version: number;
  /** As the site file has it, but for `identifiers`, `pin` and `duressPin` of a credential. */
  readonly body: unknown;
  /** What a credential has of those. */
  readonly secrets?: SecretsView;
  readonly changedAt: Date;
  readonly changedBy: string;
  /** Who revoked it last, where nobody has let it in again. */
  readonly revokedBy?: string;
}

export interface SecretsView {
  /** Of what kind they are, without their numbers. */
  readonly identifiers: readonly (
    { readonly format: string; readonly facility?: number } | { readonly bits: number }
  )[];
  readonly pin: boolean;
  readonly duressPin: boolean;
}

export interface ListOptions {
  /** The id behind which the page begins. */
  readonly after?: string;
  readonly limit: number;
  /** The beginning of an id or of a name, in any case of letters. */
  readonly search?: string;
  /** Of credentials: those of this holder. */
  readonly holder?: string;
}

export interface PutOptions {
  /** That was read; left out for an object that is new. */
  readonly version?: number | undefined;
  readonly by: string;
  /** Who was revoked is let in again. */
  readonly reinstates?: boolean;
}

export interface DraftDeps extends Site {
  readonly database: Database;
  readonly secrets: DraftSecrets;
}

/** What is being written of the policy of a site, and not yet published. */
export class PolicyDraft {
  constructor(private readonly deps: DraftDeps) {}

  /** Objects by kind, and the version of the draft, which rises with every change. */
  counts(): Promise<{ readonly version: number; readonly counts: Readonly<Record<string, number>> }> {
    return this.#inTenant(async ({ query }) => {
      const { site } = this.deps;
      const draft = await query
        .selectFrom('policy_drafts')
        .select('version')
        .where('site_id', '=', site)
        .executeTakeFirst();
      const rows = await query
        .selectFrom('policy_objects')
        .select(['kind', ({ fn }) => fn.countAll<number>().as('count')])
        .where('site_id', '=', site)
        .groupBy('kind')
        .execute();
      return {
        version: draft?.version ?? 0,
        counts: Object.fromEntries(rows.map(({ kind, count }) => [kind, count])),
      };
    });
  }

  /** A page, in the order of the ids; `next`: where the one after it begins. */
  list(kind: PolicyKind, { after, limit, search, holder }: ListOptions) {
    return this.#inTenant(async ({ query }) => {
      let rows = this.#rows(query, kind)
        .orderBy('id')
        .limit(limit + 1);
      if (after !== undefined) rows = rows.where('id', '>', after);
      if (holder !== undefined) rows = rows.where('holder', '=', holder);
      if (search !== undefined) {
        const beginning = search.toLowerCase();
        rows = rows.where(sql<boolean>`(id collate "C" ^@ ${beginning} or name ^@ ${beginning})`);
      }
      const found = await rows.execute();
      const objects = found.slice(0, limit).map((row) => this.#view(row));
      const last = objects.at(-1);
      return { objects, ...(found.length > limit && last !== undefined && { next: last.id }) };
    });
  }

  /** Throws ERR_POLICY_DRAFT_ABSENT. */
  get(kind: PolicyKind, id: string): Promise<PolicyObject> {
    return this.#inTenant(async ({ query }) => {
      const row = await this.#rows(query, kind).where('id', '=', id).executeTakeFirst();
      if (row === undefined) throw absent(kind, id);
      return this.#view(row);
    });
  }

  /**
   * Makes an object, or replaces the version that is named. Whom somebody revoked is barred all the same, unless the version
   * is of that and `reinstates` is said.
   * Throws ERR_POLICY_INVALID, ERR_POLICY_DRAFT_STALE or ERR_DATABASE_SITE_UNKNOWN.
   */
  put(
    kind: PolicyKind,
    id: string,
    body: unknown,
    { version, by, reinstates = false }: PutOptions,
  ): Promise<PolicyObject> {
    return this.#inTenant(async (transaction) => {
      const { query } = transaction;
      await changeDraft(query, this.deps);
      const before = await this.#rows(query, kind).where('id', '=', id).executeTakeFirst();
      if (before?.version !== version) throw stale(kind, id, before?.version);
      const object = storedObject(this.deps.secrets, kind, body, before);
      if (object.id !== id) throw invalidDraft([{ kind, id: object.id, path: 'id', message: `is not \`${id}\`` }]);
      await this.#assertFree(query, object);
      if (before !== undefined && reinstates) await reinstate(transaction, this.deps, by, object);
      await saveObjects(transaction, this.deps, by, [object]);
      await audit(transaction, { ...this.deps, name: by }, 'policy.save', `${this.deps.site}/${kind}/${id}`);
      return this.#view(await this.#rows(query, kind).where('id', '=', id).executeTakeFirstOrThrow());
    });
  }

  /** Throws ERR_POLICY_DRAFT_ABSENT, ERR_POLICY_DRAFT_STALE or ERR_DATABASE_SITE_UNKNOWN. */
  remove(
    kind: PolicyKind,
    id: string,
    { version, by }: { readonly version: number; readonly by: string },
  ): Promise<void> {
    return this.#inTenant(async (transaction) => {
      const { query } = transaction;
      await changeDraft(query, this.deps);
      const before = await this.#rows(query, kind).where('id', '=', id).executeTakeFirst();
      if (before === undefined) throw absent(kind, id);
      if (before.version !== version) throw stale(kind, id, before.version);
      await query
        .deleteFrom('policy_objects')
        .where('site_id', '=', this.deps.site)
        .where('kind', '=', kind)
        .where('id', '=', id)
        .execute();
      await audit(transaction, { ...this.deps, name: by }, 'policy.remove', `${this.deps.site}/${kind}/${id}`);
    });
  }

  #inTenant<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.deps.database.inTenant(this.deps.tenant, work);
  }

  #rows(query: Query, kind: PolicyKind) {
    return query
      .selectFrom('policy_objects')
      .selectAll()
      .select(revokedBy)
      .where('site_id', '=', this.deps.site)
      .where('kind', '=', kind);
  }

  /** A card belongs to one credential. */
  async #assertFree(query: Query, { kind, id, marks }: StoredObject): Promise<void> {
    if (marks.length === 0) return;
    const other = await query
      .selectFrom('policy_marks')
      .select('id')
      .where('site_id', '=', this.deps.site)
      .where('mark', 'in', marks)
      .where('id', '!=', id)
      .executeTakeFirst();
    if (other === undefined) return;
    throw invalidDraft([{ kind, id, path: 'identifiers', message: `has a card that credential \`${other.id}\` has` }]);
  }

  #view(row: Selectable<PolicyObjects> & { readonly revoked_by: string | null }): PolicyObject {
    const { id, version, body, changed_at: changedAt, changed_by: changedBy, revoked_by: by } = row;
    const kind = row.kind as PolicyKind;
    const view = { kind, id, version, body, changedAt, changedBy, ...(by !== null && { revokedBy: by }) };
    if (kind !== 'credentials') return view;
    const { identifiers = [], pin, duressPin } = secretsOf(this.deps.secrets, row);
    const shown = identifiers.map((each) => {
      if ('bits' in each) return { bits: each.bits };
      const { format, facility } = each;
      return { format, ...(facility !== undefined && { facility }) };
    });
    return {
      ...view,
      secrets: { identifiers: shown, pin: pin !== undefined, duressPin: duressPin !== undefined },
    };
  }
}

const absent = (kind: PolicyKind, id: string) =>
  new SparcError(
    'ERR_POLICY_DRAFT_ABSENT',
    `the draft has no ${isSingle(kind) ? kind : `\`${id}\` among its ${kind}`}`,
    {
      kind,
      id,
    },
  );

const stale = (kind: PolicyKind, id: string, version: number | undefined) =>
  new SparcError(
    'ERR_POLICY_DRAFT_STALE',
    version === undefined ? `${kind} \`${id}\` is not there` : `${kind} \`${id}\` has version ${version}`,
    { kind, id, ...(version !== undefined && { version }) },
  );
