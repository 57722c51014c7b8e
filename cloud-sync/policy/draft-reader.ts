import { sql } from 'kysely';
import { SparcError } from '@sparc/protocol/errors';
import {
  pinAloneProfiles,
  type AbsorbedDirective,
  type Credential,
  type CredentialHolder,
  type HashedCredential,
  type SiteFile,
} from '@sparc/protocol/policy';
import { contentButPeople, pinHasher, type PinMac } from '@sparc/protocol/site-check';
import type { PeopleRun, PolicyStream, Stream } from '../authority/index.js';
import { credentialProblems, planProblems } from './draft-check.js';
import { invalidDraft, wholeObject, type DraftProblem, type StoredObject } from './draft-object.js';
import { draftVersion, type Query } from './draft-rows.js';
import { draftRuns, isHolderMissing, type DraftRun } from './draft-runs.js';
import { isSingle, POLICY_KINDS, type PolicyKind } from './kinds.js';
import type { DraftDeps } from './policy-draft.js';
import { absorbedDirectives } from './revoked-objects.js';

/** Rows of people read at a time: what is done with them keeps nobody waiting for long. */
const PAGE_ROWS = 500;
/** Of which the database says alone what is in them. */
const RUN_ROWS = 5_000;
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
  async content(mac: PinMac): Promise<PolicyStream> {
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
      ...((await this.#isByRuns(file)) && { runs: this.#runs(file, mac) }),
    };
  }

  /**
   * Whether a run of people is as right as it was, whatever became of others. Where a PIN alone says who comes it is not: that
   * PIN is of one credential of all.
   */
  async #isByRuns({ accessPoints, accessProfiles }: SiteFile): Promise<boolean> {
    if (pinAloneProfiles(accessPoints, accessProfiles).size > 0) return false;
    return !(await this.#atVersion((query) => isHolderMissing(query, this.deps.site)));
  }

  #runs(file: SiteFile, mac: PinMac): NonNullable<PolicyStream['runs']> {
    const { credentials: _some, credentialHolders: _theirs, ...rest } = file;
    // What a credential comes to, and whether it is right, depends on these too.
    const context = mac(JSON.stringify(rest));
    return {
      holders: this.#runsOf('credentialHolders', context, (run) => this.#holders(run)),
      credentials: this.#runsOf('credentials', context, (run) => this.#hashed(file, mac, run)),
    };
  }

  async *#runsOf(
    kind: People,
    context: string,
    records: (run: DraftRun) => Stream<unknown>,
  ): AsyncGenerator<PeopleRun> {
    const of = { site: this.deps.site, kind };
    let countMax = RUN_ROWS;
    for (let fromId: string | undefined = ''; fromId !== undefined;) {
      const first: string = fromId;
      const runs = await this.#atVersion((query) => draftRuns(query, of, first, countMax));
      const isLast = runs.reduce((sum, { count }) => sum + count, 0) < countMax;
      const whole = isLast ? runs : runs.slice(0, -1);
      for (const run of whole) {
        yield { ...run, mark: `${kind} ${run.digest} ${context}`, records: () => records(run) };
      }
      if (whole.length === 0) countMax *= 2;
      fromId = isLast ? undefined : runs.at(-1)?.firstId;
    }
  }

  async *#holders(run?: DraftRun): AsyncGenerator<CredentialHolder> {
    for await (const page of this.pages('credentialHolders', run))
      for (const { body } of page) yield body as CredentialHolder;
  }

  async *#hashed(file: SiteFile, mac: PinMac, run?: DraftRun): AsyncGenerator<HashedCredential> {
    const hashed = pinHasher(file, mac);
    const pins = new Map<string, string>();
    for await (const page of this.#credentials(run)) {
      const problems = credentialProblems({ ...file, ...page }, pins);
      if (problems.length > 0) throw invalidDraft(problems);
      for (const credential of page.credentials) yield hashed(credential);
    }
  }

  async *#credentials(run?: DraftRun): AsyncGenerator<CredentialsPage> {
    const { site, secrets } = this.deps;
    const pages = this.#read('credentials', run, async (query, page) => ({
      page,
      credentialHolders: await holdersOf(query, site, page),
    }));
    for await (const { page, credentialHolders } of pages) {
      yield { credentials: page.map((stored) => wholeObject(secrets, stored) as Credential), credentialHolders };
    }
  }

  /** Every object of a kind, or of a run of it, in the order of the ids; one page at least. */
  pages(kind: PolicyKind, run?: DraftRun): AsyncGenerator<readonly StoredObject[]> {
    return this.#read(kind, run, async (_query, page) => page);
  }

  async *#read<T>(
    kind: PolicyKind,
    run: DraftRun | undefined,
    take: (query: Query, page: readonly StoredObject[]) => Promise<T>,
  ): AsyncGenerator<T> {
    let from = sql<boolean>`o.id collate "C" >= ${run?.firstId ?? ''}`;
    const to = run === undefined ? sql<boolean>`true` : sql<boolean>`o.id collate "C" <= ${run.lastId}`;
    for (let isLast = false; !isLast;) {
      yield await this.#atVersion(async (query) => {
        const rows = await objectsOf(query, this.deps.site, kind)
          .where(from)
          .where(to)
          .orderBy(sql`o.id collate "C"`)
          .limit(PAGE_ROWS)
          .execute();
        isLast = rows.length < PAGE_ROWS;
        from = sql<boolean>`o.id collate "C" > ${rows.at(-1)?.id}`;
        return take(
          query,
          rows.map((row) => ({ kind, ...row })),
        );
      });
    }
  }

  /** Throws ERR_POLICY_DRAFT_STALE. */
  #atVersion<T>(read: (query: Query) => Promise<T>): Promise<T> {
    return this.deps.database.inTenant(this.deps.tenant, async ({ query }) => {
      const found = await read(query);
      const version = await draftVersion(query, this.deps);
      if (version === this.version) return found;
      throw new SparcError('ERR_POLICY_DRAFT_STALE', 'the draft was changed while it was read', { version });
    });
  }
}

/** By their ids, which are looked up: joined to the page, the database reads all holders for each. */
function holdersOf(
  query: Query,
  site: string,
  page: readonly StoredObject[],
): Promise<readonly Pick<CredentialHolder, 'id'>[]> {
  const ids = sql.val([...new Set(page.map(({ body }) => (body as Pick<Credential, 'holder'>).holder))]);
  return query
    .selectFrom('policy_objects')
    .select('id')
    .where('site_id', '=', site)
    .where('kind', '=', 'credentialHolders')
    .where(sql<boolean>`id = any(${ids}::text[])`)
    .execute();
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
