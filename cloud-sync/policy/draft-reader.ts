import { sql } from 'kysely';
import { SparcError } from '@sparc/protocol/errors';
import type {
  AbsorbedDirective,
  Credential,
  CredentialHolder,
  HashedCredential,
  SiteFile,
} from '@sparc/protocol/policy';
import { contentButPeople, pinHasher, type PinMac } from '@sparc/protocol/site-check';
import type { PolicyStream } from '../authority/index.js';
import { credentialProblems, planProblems } from './draft-check.js';
import { invalidDraft, wholeObject, type DraftProblem, type StoredObject } from './draft-object.js';
import { draftVersion, type Query } from './draft-rows.js';
import { isSingle, POLICY_KINDS, type PolicyKind } from './kinds.js';
import type { DraftDeps } from './policy-draft.js';
import { absorbedDirectives } from './revoked-objects.js';

/** Rows of people read at a time: what is done with them keeps nobody waiting for long. */
const PAGE_ROWS = 500;
/** That are looked for before a draft is put right. */
export const DRAFT_PROBLEMS_MAX = 1_000;

const PEOPLE = ['credentialHolders', 'credentials'] as const;
type People = (typeof PEOPLE)[number];
export const isPeople = (kind: PolicyKind): kind is People => PEOPLE.some((each) => each === kind);

interface CredentialsPage {
  readonly credentials: readonly Credential[];
  /** Those of their holders that there are. */
  readonly credentialHolders: readonly Pick<CredentialHolder, 'id'>[];
}

/**
 * Reads a draft of any size, its people some at a time, each in a transaction of its own: a large one takes its time, and nobody
 * waits for it. All of it throws ERR_POLICY_DRAFT_STALE where somebody changes the draft meanwhile.
 */
export class DraftReader {
  private constructor(
    private readonly deps: DraftDeps,
    readonly version: number,
    /** All but the people, and of those whom emergency credentials name. */
    private readonly file: Partial<SiteFile>,
    private readonly absorbed: AbsorbedDirective[],
  ) {}

  static open(deps: DraftDeps): Promise<DraftReader> {
    return deps.database.inTenant(deps.tenant, async ({ query }) => {
      // Before the rest: what is changed then shows with the people.
      const version = await draftVersion(query, deps);
      const file = await fileButPeople(query, deps);
      return new DraftReader(deps, version, file, await absorbedDirectives(query, deps.site));
    });
  }

  /** What keeps it from being published, as far as `DRAFT_PROBLEMS_MAX`. */
  async problems(): Promise<readonly DraftProblem[]> {
    const problems = [...planProblems(this.file, this.deps.site)];
    const pins = new Map<string, string>();
    for await (const page of this.#credentials()) {
      if (problems.length >= DRAFT_PROBLEMS_MAX) break;
      problems.push(...credentialProblems({ ...this.file, ...page }, pins));
    }
    return problems.slice(0, DRAFT_PROBLEMS_MAX);
  }

  /**
   * What it comes to; its people are read while they are taken, once. Throws ERR_POLICY_INVALID, also while they are taken.
   */
  content(mac: PinMac): PolicyStream {
    const problems = planProblems(this.file, this.deps.site);
    if (problems.length > 0) throw invalidDraft(problems);
    // Nothing is missing: that is one of the problems.
    const file = this.file as SiteFile;
    const { plan, ...rest } = contentButPeople(file);
    return {
      ...rest,
      plan: { ...plan, absorbedDirectives: this.absorbed },
      holders: this.#holders(),
      credentials: this.#hashed(file, mac),
    };
  }

  async *#holders(): AsyncGenerator<CredentialHolder> {
    for await (const page of this.pages('credentialHolders'))
      for (const { body } of page) yield body as CredentialHolder;
  }

  async *#hashed(file: SiteFile, mac: PinMac): AsyncGenerator<HashedCredential> {
    const hashed = pinHasher(file, mac);
    const pins = new Map<string, string>();
    for await (const page of this.#credentials()) {
      const problems = credentialProblems({ ...file, ...page }, pins);
      if (problems.length > 0) throw invalidDraft(problems);
      for (const credential of page.credentials) yield hashed(credential);
    }
  }

  async *#credentials(): AsyncGenerator<CredentialsPage> {
    for await (const page of this.pages('credentials')) {
      yield {
        credentials: page.map((stored) => wholeObject(this.deps.secrets, stored) as Credential),
        credentialHolders: await this.#holdersOf(page),
      };
    }
  }

  /** By their ids, which are looked up: joined to the page, the database reads all holders for each. */
  #holdersOf(page: readonly StoredObject[]): Promise<readonly Pick<CredentialHolder, 'id'>[]> {
    const { database, tenant, site } = this.deps;
    const ids = sql.val([...new Set(page.map(({ body }) => (body as Pick<Credential, 'holder'>).holder))]);
    return database.inTenant(tenant, ({ query }) =>
      query
        .selectFrom('policy_objects')
        .select('id')
        .where('site_id', '=', site)
        .where('kind', '=', 'credentialHolders')
        .where(sql<boolean>`id = any(${ids}::text[])`)
        .execute(),
    );
  }

  /** Every object of a kind, in the order of the ids; one page at least. */
  async *pages(kind: PolicyKind): AsyncGenerator<readonly StoredObject[]> {
    const { database, tenant, site } = this.deps;
    for (let last: string | undefined = ''; last !== undefined;) {
      const after: string = last;
      const page = await database.inTenant(tenant, async ({ query }) => {
        const rows = await objectsOf(query, site, kind)
          .where(sql<boolean>`o.id collate "C" > ${after}`)
          .orderBy(sql`o.id collate "C"`)
          .limit(PAGE_ROWS)
          .execute();
        const version = await draftVersion(query, this.deps);
        if (version === this.version) return rows.map((row) => ({ kind, ...row }));
        throw new SparcError('ERR_POLICY_DRAFT_STALE', 'the draft was changed while it was read', { version });
      });
      yield page;
      last = page.length < PAGE_ROWS ? undefined : page.at(-1)?.id;
    }
  }
}

const objectsOf = (query: Query, site: string, kind: PolicyKind) =>
  query
    .selectFrom('policy_objects as o')
    .select(['o.id', 'o.body', 'o.sealed', 'o.marks'])
    .where('o.site_id', '=', site)
    .where('o.kind', '=', kind);

async function fileButPeople(query: Query, { site, secrets }: DraftDeps): Promise<Partial<SiteFile>> {
  const read = async (kind: PolicyKind, ids?: readonly string[]) => {
    let rows = objectsOf(query, site, kind).orderBy('o.id');
    if (ids !== undefined) rows = rows.where(sql<boolean>`o.id = any(${sql.val([...ids])}::text[])`);
    return (await rows.execute()).map((row) => wholeObject(secrets, { kind, ...row }));
  };
  const file = new Map<string, unknown>([['version', 1]]);
  for (const kind of POLICY_KINDS) {
    if (isPeople(kind)) continue;
    const objects = await read(kind);
    if (!isSingle(kind)) file.set(kind, objects);
    else if (objects.length > 0) file.set(kind, objects[0]);
  }
  const emergencies = (file.get('emergencyCredentials') ?? []) as readonly { readonly credential: string }[];
  const credentials = (await read(
    'credentials',
    emergencies.map(({ credential }) => credential),
  )) as Credential[];
  file.set('credentials', credentials);
  file.set(
    'credentialHolders',
    await read(
      'credentialHolders',
      credentials.map(({ holder }) => holder),
    ),
  );
  return Object.fromEntries(file);
}
