import type { CredentialHolder, HashedCredential, PolicyContent } from '@sparc/protocol/policy';
import {
  PEOPLE_SECTIONS,
  RevisionCutter,
  type CutRevision,
  type CutRun,
  type PartTools,
  type PeopleSection,
} from '@sparc/protocol/policy-revision';
import type { Part } from '@sparc/protocol/ports';
import { sealPart, type Database, type Site, type Transaction } from '../db/index.js';
import { toHex, type Seal } from '../platform/index.js';
import type { KeptRuns, Runs } from './kept-runs.js';

/** Parts are inserted so many at once, some 30 KiB each; those of a large site do not wait in memory for the last. */
const INSERTED_MAX = 128;

export type Stream<T> = AsyncIterable<T> | Iterable<T>;

/** A policy whose people may still be on their way, each list in the order of its ids. */
export type PolicyStream = Omit<PolicyContent, 'holders' | 'credentials'> & {
  readonly holders: Stream<CredentialHolder>;
  readonly credentials: Stream<HashedCredential>;
  /** The same people by runs, where what one comes to depends on nothing but its mark. */
  readonly runs?: Readonly<Record<'holders' | 'credentials', AsyncIterable<PeopleRun>>>;
};

/** As `CutRun`, not yet cut. */
export interface PeopleRun {
  readonly firstId: string;
  readonly lastId: string;
  /** Two that have the same one have the same records. */
  readonly mark: string;
  /** Read when they are wanted. */
  readonly records: () => Stream<unknown>;
}

/**
 * Cuts a policy, stores what parts of it are not there yet as they are made, and returns what is to be signed. What was cut when
 * it was published last is not read again. Throws ERR_POLICY_INVALID, and as its people are taken: parts that no revision names
 * are there then, for a later one.
 */
export async function storePolicy(
  database: Database,
  tools: PartTools,
  of: Site,
  content: PolicyStream,
  keptRuns: KeptRuns,
): Promise<CutRevision> {
  const { seal, marks } = await database.inTenant(of.tenant, async ({ query, seals }) => {
    const rows = await query.selectFrom('policy_parts').select('hash').where('site_id', '=', of.site).execute();
    return { seal: seals.of('part', of.site), marks: rows.map(({ hash }) => toHex(hash)) };
  });
  const parts = new NewParts(seal, marks, (some) =>
    database.inTenant(of.tenant, async (transaction) => void (await storeParts(transaction, of, some))),
  );
  const policy = new PolicyCut(tools, content, parts, keptRuns.of(of));
  for (const section of PEOPLE_SECTIONS) {
    if (section === 'profiles' || content.runs === undefined) await policy.add(section, content[section]);
    else for await (const run of content.runs[section]) await policy.addRun(section, run);
  }
  const revision = policy.cutter.end();
  await parts.store();
  keptRuns.keep(of, policy.runs);
  return revision;
}

/** Parts that are not stored yet, some of which wait to be. */
class NewParts {
  readonly #marks: Set<string>;
  #waiting: Part[] = [];

  constructor(
    private readonly seal: Seal,
    marks: Iterable<string>,
    private readonly storing: (parts: readonly Part[]) => Promise<void>,
  ) {
    this.#marks = new Set(marks);
  }

  has(hash: string): boolean {
    return this.#marks.has(this.#markOf(hash));
  }

  add(part: Part): void {
    if (this.has(part.hash)) return;
    this.#marks.add(this.#markOf(part.hash));
    this.#waiting.push(part);
  }

  /** Those that wait, if they are so many. */
  async store(countMin = 1): Promise<void> {
    if (this.#waiting.length >= countMin) await this.storing(this.#waiting.splice(0));
  }

  #markOf(hash: string): string {
    return toHex(this.seal.mark(hash));
  }
}

/** A policy while its people come. */
class PolicyCut {
  readonly cutter: RevisionCutter;
  /** Of this policy, by their marks. */
  readonly runs = new Map<string, CutRun>();

  constructor(
    tools: PartTools,
    content: PolicyStream,
    private readonly parts: NewParts,
    private readonly before: Runs,
  ) {
    this.cutter = new RevisionCutter(tools, content, (part) => parts.add(part));
  }

  /** Returns how many came. */
  async add(section: PeopleSection, records: Stream<unknown>): Promise<number> {
    let count = 0;
    for await (const record of records) {
      this.cutter.add(section, record);
      count += 1;
      await this.parts.store(INSERTED_MAX);
    }
    return count;
  }

  async addRun(section: PeopleSection, { firstId, lastId, mark, records }: PeopleRun): Promise<void> {
    let run = this.before.get(mark);
    if (run?.parts.every(({ hash }) => this.parts.has(hash)) === true) {
      this.cutter.addRun(section, run);
    } else {
      const count = await this.add(section, records());
      run = { firstId, lastId, count, parts: this.cutter.endRun() };
    }
    this.runs.set(mark, run);
  }
}

/** Returns how many were not there yet. */
export async function storeParts(
  { query, seals }: Transaction,
  { tenant, site }: Site,
  parts: readonly Part[],
): Promise<number> {
  const seal = seals.of('part', site);
  let newCount = 0;
  for (let first = 0; first < parts.length; first += INSERTED_MAX) {
    const rows = parts
      .slice(first, first + INSERTED_MAX)
      .map((part) => ({ tenant_id: tenant, site_id: site, ...sealPart(seal, part) }));
    const stored = await query
      .insertInto('policy_parts')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    newCount += Number(stored.numInsertedOrUpdatedRows ?? 0n);
  }
  return newCount;
}
