import { PolicyRevision, readRevision, surveyParts, type PartTools } from '@sparc/protocol/policy-revision';
import type { PolicyContent } from '@sparc/protocol/policy';
import { SparcError } from '@sparc/protocol/errors';
import type { AuthoritySource, PolicyStream, Published, SiteAuthority } from '../authority/index.js';
import type { Transaction } from '../db/index.js';
import { pinMac } from '../platform/index.js';
import { audit } from '../users/index.js';
import { absorbRevocations } from './absorb-revocations.js';
import type { DraftProblem } from './draft-object.js';
import { DraftReader } from './draft-reader.js';
import { changeDraft, countAnew, holdDraft, type Query, type Saved } from './draft-rows.js';
import { exportDraft } from './export-draft.js';
import { importDraft } from './import-draft.js';
import { policyChanges, type PolicyChange } from './policy-changes.js';
import type { DraftDeps } from './policy-draft.js';
import { readSiteFile } from './read-site-file.js';
import { isInDraft, keepRevocations } from './revoked-objects.js';

export interface DeskDeps extends DraftDeps {
  readonly authority: SiteAuthority;
  readonly source: AuthoritySource;
  readonly partTools: PartTools;
}

/** A revision as it was published; who has applied it is said by the ledgers of the gateways. */
export interface RevisionView {
  readonly number: number;
  readonly publishedAt: Date;
  readonly publishedBy: string;
  readonly note?: string;
  /** Keys of the gateways that apply it, for a trial; absent: all. */
  readonly onlyFor?: readonly string[];
  /** Number of the earlier one that it says again. */
  readonly reissues?: number;
  /** It came back with the log of the authority after a restore: who published it, and what it says, is not known here. */
  readonly isRecovered?: true;
}

export interface Revoked {
  /** Id of the directive, by which gateways answer. */
  readonly directive: string;
  /** The draft has nobody of that id. */
  readonly isUnlisted?: true;
}

export interface PublishWish {
  readonly by: string;
  readonly note?: string | undefined;
  /** Keys of the gateways that apply it, in hex, for a trial; left out: all. */
  readonly onlyFor?: readonly string[] | undefined;
  /** The newest revision, where that is a recovered one: what it says is given up. */
  readonly over?: number | undefined;
}

/** How a draft differs from the newest revision. */
export interface DraftChanges {
  /** Number of that revision; absent: there is none. */
  readonly since?: number;
  /** That revision is a recovered one: what it says is not here, and how the draft differs is not known. */
  readonly isUnseen?: true;
  readonly counts: Readonly<Partial<Record<PolicyChange['kind'], Readonly<Record<PolicyChange['change'], number>>>>>;
  /** The first of them. */
  readonly changes: readonly PolicyChange[];
  readonly isMore: boolean;
}

const REVISIONS_SHOWN = 100;
const PARTS_READ_AT_ONCE = 64;

/** What becomes of the draft of a site: checked, compared, published, and taken back. */
export class PolicyDesk {
  constructor(private readonly deps: DeskDeps) {}

  /** What keeps the draft from being published; the first of it. Throws as `DraftReader`. */
  async problems(): Promise<readonly DraftProblem[]> {
    return (await DraftReader.open(this.deps)).problems();
  }

  /** As a site file, in pieces: YAML, without cards and PINs. Throws as `DraftReader`, also in the middle. */
  async *exported(): AsyncGenerator<string> {
    yield* exportDraft(await DraftReader.open(this.deps));
  }

  /** Puts a site file in the place of the draft. Throws ERR_POLICY_INVALID or ERR_DATABASE_SITE_UNKNOWN. */
  async imported(text: string, by: string): Promise<Saved & { readonly removed: number }> {
    const { tenant, site, secrets, database } = this.deps;
    // Before the transaction, for which others wait.
    const pieces = await readSiteFile(text);
    const all = await this.#inTenant(async (transaction) => {
      await changeDraft(transaction.query, this.deps);
      const saved = await importDraft(transaction, secrets, this.deps, by, pieces);
      await audit(transaction, { tenant, name: by }, 'policy.import', site, { ...saved });
      return saved;
    });
    await countAnew(database);
    return all;
  }

  /** Throws ERR_POLICY_INVALID for a draft with problems, as `DraftReader`, and as the authority does. */
  async changes(changesMax: number): Promise<DraftChanges> {
    await absorbRevocations(this.deps);
    const { content } = await this.#content();
    const newest = await this.#newest();
    if (newest?.recovered === true) {
      return { since: newest.number, isUnseen: true, counts: {}, changes: [], isMore: false };
    }
    const before = newest && (await this.#contentOf(PolicyRevision.decode(newest.signed)));
    const counts: Partial<Record<PolicyChange['kind'], Record<PolicyChange['change'], number>>> = {};
    const changes: PolicyChange[] = [];
    let count = 0;
    for await (const each of policyChanges(before, content)) {
      (counts[each.kind] ??= { added: 0, changed: 0, removed: 0 })[each.change] += 1;
      count += 1;
      if (changes.length < changesMax) changes.push(each);
    }
    return { ...(newest && { since: newest.number }), counts, changes, isMore: count > changes.length };
  }

  /**
   * Signs the draft as the next revision, unless the newest one says the same. Its number is not who has applied it.
   * `version`: the draft that was looked at. Throws ERR_POLICY_INVALID, ERR_POLICY_DRAFT_STALE, also where somebody changes
   * the draft meanwhile, ERR_POLICY_REVISION_UNKNOWN, ERR_POLICY_REVISION_UNSEEN, and as the authority does.
   */
  async publish(wish: PublishWish & { readonly version?: number | undefined }): Promise<Published> {
    if (wish.over !== undefined) await this.#revision(wish.over);
    await absorbRevocations(this.deps);
    const { version, content } = await this.#content();
    assertVersion(version, wish.version);
    const recorded = this.#recorded(wish);
    return this.deps.authority.publish(content, onlyForOf(wish), async (transaction, revision, body) => {
      // Cutting a large draft takes its time: an older one is never signed behind a newer.
      assertVersion(await holdDraft(transaction.query, this.deps), version);
      await recorded(transaction, revision, body);
    });
  }

  /**
   * Signs an earlier revision again as the next one: a trial for all, or what was before it. The draft stays as it is.
   * Throws ERR_POLICY_REVISION_UNKNOWN, ERR_POLICY_REVISION_UNSEEN, and as the authority does.
   */
  async reissue(number: number, wish: PublishWish): Promise<Published> {
    if (wish.over !== undefined) await this.#revision(wish.over);
    const revision = PolicyRevision.decode((await this.#revision(number)).signed);
    return this.deps.authority.reissue(revision, onlyForOf(wish), this.#recorded(wish, number));
  }

  /**
   * Ends a credential, or all of a holder, at once and for good, without a revision; the draft says it from then on.
   * Throws as the authority does.
   */
  async revoke(subject: 'credential' | 'holder', subjectId: string, by: string): Promise<Revoked> {
    const named = { subject, subjectId };
    const isUnlisted = !(await this.#inTenant(({ query }) => isInDraft(query, this.deps.site, named)));
    const directive = await this.deps.authority.revoke(subject, subjectId, by, async (transaction, id) => {
      await changeDraft(transaction.query, this.deps);
      await keepRevocations(transaction, this.deps, [{ ...named, id, by }]);
    });
    return { directive, ...(isUnlisted && { isUnlisted }) };
  }

  /** Newest first, the latest of them. */
  async revisions(): Promise<readonly RevisionView[]> {
    const rows = await this.#inTenant(({ query }) =>
      this.#revisions(query).orderBy('number', 'desc').limit(REVISIONS_SHOWN).execute(),
    );
    return rows.map(({ number, published_at, published_by, note, only_for, reissues, recovered }) => ({
      number,
      publishedAt: published_at,
      publishedBy: published_by,
      ...(note !== null && { note }),
      ...(only_for !== null && { onlyFor: only_for }),
      ...(reissues !== null && { reissues }),
      ...(recovered && { isRecovered: true as const }),
    }));
  }

  #inTenant<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.deps.database.inTenant(this.deps.tenant, work);
  }

  #revisions(query: Query) {
    return query.selectFrom('policy_revisions').selectAll().where('site_id', '=', this.deps.site);
  }

  async #content(): Promise<{ readonly version: number; readonly content: PolicyStream }> {
    const draft = await DraftReader.open(this.deps);
    return { version: draft.version, content: await draft.content(pinMac(await this.deps.authority.pinKey())) };
  }

  /** Throws ERR_POLICY_REVISION_UNKNOWN. */
  async #revision(number: number) {
    const numbered = ({ query }: Transaction) => this.#revisions(query).where('number', '=', number);
    const row = await this.#inTenant((transaction) => numbered(transaction).executeTakeFirst());
    if (row !== undefined) return row;
    throw new SparcError('ERR_POLICY_REVISION_UNKNOWN', `${this.deps.site} has no revision ${number}`, { number });
  }

  #newest() {
    return this.#inTenant(({ query }) => this.#newestOf(query));
  }

  #newestOf(query: Query) {
    return this.#revisions(query).orderBy('number', 'desc').limit(1).executeTakeFirst();
  }

  /** Throws ERR_POLICY_PART_ABSENT. */
  async #contentOf(revision: PolicyRevision): Promise<PolicyContent> {
    const { source, partTools } = this.deps;
    const parts = new Map<string, Uint8Array>();
    const store = { has: (hash: string) => parts.has(hash), get: (hash: string) => parts.get(hash) };
    const missing = () => surveyParts(partTools, revision, store).missing;
    // Index parts first: they name the others.
    for (let hashes = missing(); hashes.length > 0; hashes = missing()) {
      for (let first = 0; first < hashes.length; first += PARTS_READ_AT_ONCE) {
        const some = hashes.slice(first, first + PARTS_READ_AT_ONCE);
        for (const [hash, content] of await source.parts(this.deps, some)) parts.set(hash, content);
        const hash = some.find((each) => !parts.has(each));
        if (hash !== undefined) throw new SparcError('ERR_POLICY_PART_ABSENT', `the part ${hash}`, { hash });
      }
    }
    return readRevision(partTools, revision, store);
  }

  #recorded({ by, note, over }: PublishWish, reissues?: number) {
    const { tenant, site } = this.deps;
    return async (transaction: Transaction, { number, onlyFor }: PolicyRevision, body: Uint8Array): Promise<void> => {
      const newest = await this.#newestOf(transaction.query);
      if (newest?.recovered === true && ![over, reissues].includes(newest.number)) throw unseen(newest.number);
      const row = {
        tenant_id: tenant,
        site_id: site,
        number,
        signed: Buffer.from(body),
        published_by: by,
        note: note ?? null,
        only_for: onlyFor.length > 0 ? [...onlyFor] : null,
        reissues: reissues ?? null,
      };
      await transaction.query.insertInto('policy_revisions').values(row).execute();
      await audit(transaction, { tenant, name: by }, 'policy.publish', site, { number, reissues, onlyFor });
    };
  }
}

function assertVersion(version: number, wanted: number | undefined): void {
  if (wanted === undefined || wanted === version) return;
  throw new SparcError('ERR_POLICY_DRAFT_STALE', `the draft has version ${version}`, { version });
}

function unseen(number: number): SparcError {
  const message = `revision ${number} was signed after the backup that this database was made of`;
  return new SparcError('ERR_POLICY_REVISION_UNSEEN', message, { number });
}

const onlyForOf = ({ onlyFor }: PublishWish) => (onlyFor === undefined ? {} : { onlyFor });
