import { delegate, enrol, expel, rotate, withdraw, type AuthorityState, type Draft } from '@sparc/protocol/authority';
import {
  directiveId,
  DIRECTIVE_LIFETIME_MAX_MS,
  encodeSignedDirective,
  signDirective,
} from '@sparc/protocol/directive';
import type { LinkGrant } from '@sparc/protocol/enrolment';
import { SparcError } from '@sparc/protocol/errors';
import { encodeEvent, EVENT_KIND, type LedgerCrypto, type SignedHead } from '@sparc/protocol/ledger';
import {
  Beacon,
  BEACON_KIND,
  POLICY_KIND,
  PolicyRevision,
  type CutRevision,
  type PartTools,
} from '@sparc/protocol/policy-revision';
import type { Delegation, Member, Roster } from '@sparc/protocol/roster';
import type { Database, Site, Transaction } from '../db/index.js';
import { placeMembers, removeMember } from '../identity/index.js';
import type { Act, AuthorityActs } from './authority-acts.js';
import { newestRevision } from './authority-entries.js';
import type { KeptRuns } from './kept-runs.js';
import { tipsOfMember } from './member-tips.js';
import { storePolicy, type PolicyStream } from './revision-parts.js';

/** More to be done in the transaction of an act, all or nothing with it. */
export type Within = (transaction: Transaction) => Promise<void>;

/** Beside the roster, when gateways are enrolled. */
export interface Enrolling {
  /** What else they take home, by key. */
  readonly links?: ReadonlyMap<string, LinkGrant>;
  /** The member that goes for them, and what is done when it does: nothing, where it went before. */
  readonly replaced?: { readonly key: string; readonly within: Within } | undefined;
}

export interface PublishOptions {
  /** Keys of the gateways that apply it, in hex, for a trial; left out: all. */
  readonly onlyFor?: readonly string[];
}

export interface Published {
  readonly number: number;
  /** False: it is the newest one, which says the same already. */
  readonly isNew: boolean;
}

export interface SiteAuthorityDeps {
  readonly acts: AuthorityActs;
  readonly crypto: LedgerCrypto;
  readonly database: Database;
  readonly partTools: PartTools;
  readonly keptRuns: KeptRuns;
}

/**
 * The authority of one site, as the cloud keeps it: an author of the site's ledger like any other. Every act is one
 * transaction, and throws as `AuthorityActs.act` beside what is said at it; then nothing was signed that anybody has.
 */
export class SiteAuthority {
  constructor(
    private readonly deps: SiteAuthorityDeps,
    private readonly of: Site,
  ) {}

  /** What it has said last. */
  state(): Promise<AuthorityState> {
    return this.deps.acts.read(this.of, ({ state }) => state());
  }

  /** 32 bytes: the key of the site's PIN hashes. */
  pinKey(): Promise<Uint8Array> {
    return this.deps.acts.read(this.of, async ({ pinKey }) => pinKey);
  }

  /**
   * Puts gateways onto the roster, or what they say now in the place of what they said before, and returns what each takes
   * home (`openAdmission`), in their order. Throws as `enrol` of the protocol, as `expel`, and
   * ERR_AUTHORITY_GATEWAY_ELSEWHERE.
   */
  enrol(
    members: readonly Member[],
    within?: Within,
    { links, replaced }: Enrolling = {},
  ): Promise<readonly Uint8Array[]> {
    return this.deps.acts.act(this.of, async (act) => {
      const { transaction, acting, pinKey, state } = act;
      const { roster } = await state();
      const goes = replaced !== undefined && roster.members.some(({ key }) => key === replaced.key);
      const left = goes ? await this.#expel(act, replaced.key) : [];
      if (goes) await replaced.within(transaction);
      const { drafts, admissions } = enrol(acting, await state(left), pinKey, members, links);
      await placeMembers(transaction.query, this.of, members);
      await within?.(transaction);
      return { drafts: [...left, ...drafts], result: admissions };
    });
  }

  /**
   * Takes a gateway off the roster for good, and changes the site secret. Of its log goes on to count what leads to `heads`, or
   * what is stored here by then. Throws ERR_MESH_MEMBER_UNKNOWN, ERR_MESH_HEAD_INVALID or ERR_MESH_ROSTER_INVALID.
   */
  expel(key: string, within?: Within, heads?: readonly SignedHead[]): Promise<void> {
    return this.#say((act) => this.#expel(act, key, heads), within);
  }

  /** Changes the site secret; gateways take the one before it for a while. */
  rotate(within?: Within): Promise<void> {
    return this.#say(async ({ acting, state }) => rotate(acting, await state()), within);
  }

  /** In the place of what the operator had before. Throws ERR_MESH_DELEGATION_INVALID. */
  delegate(delegated: Omit<Delegation, 'issuedUnixMs'>, within?: Within): Promise<void> {
    return this.#say(async ({ acting, state }) => delegate(acting, await state(), delegated), within);
  }

  /** Ends what an operator may. Throws ERR_MESH_DELEGATION_INVALID for one that has no rights. */
  withdraw(operator: string, within?: Within): Promise<void> {
    return this.#say(async ({ acting, state }) => withdraw(acting, await state(), operator), within);
  }

  /**
   * Ends a credential, or all of a holder, at once and for good: what operators direct as well, in a lane of its own that no
   * revision stages. `onBehalfOf`: the user, as the entry names them. Returns the id of the directive, by which gateways answer.
   */
  revoke(
    subject: 'credential' | 'holder',
    subjectId: string,
    onBehalfOf: string,
    within?: (transaction: Transaction, directive: string) => Promise<void>,
  ): Promise<string> {
    return this.deps.acts.act(this.of, async ({ transaction, acting: { clock, signer } }) => {
      const issuedUnixMs = Math.floor(clock.wall().unixMs);
      const signed = signDirective(signer, {
        ...{ v: 1, site: this.of.site, kind: 'revoke', subject, subjectId, issuedUnixMs, onBehalfOf },
        expiresUnixMs: issuedUnixMs + DIRECTIVE_LIFETIME_MAX_MS,
      });
      const directive = directiveId(signed);
      await within?.(transaction, directive);
      const detail = { directive, kind: 'revoke', operator: signed.operator, onBehalfOf };
      const record = { name: 'directive.given', directive: encodeSignedDirective(signed), detail };
      return { drafts: [{ kind: EVENT_KIND, body: encodeEvent(record) }], result: directive };
    });
  }

  /**
   * Signs a policy as the next revision, unless the newest one says the same to the same gateways. `within` is told of one
   * that is new, with the body of its entry. Throws ERR_POLICY_INVALID, ERR_MESH_OTHER_SITE, or
   * ERR_MESH_MEMBER_UNKNOWN for a trial at a gateway that is none of the site.
   */
  async publish(
    content: PolicyStream,
    options: PublishOptions = {},
    within?: (transaction: Transaction, revision: PolicyRevision, body: Uint8Array) => Promise<void>,
  ): Promise<Published> {
    const { database, partTools, keptRuns } = this.deps;
    // Before the act, and not in it: a large policy takes its time, and a revocation must not wait for it.
    const revision = await storePolicy(database, partTools, this.of, content, keptRuns);
    return this.reissue(revision, options, within);
  }

  /** Signs a revision again that was signed before, as the next one. Otherwise as `publish`. */
  reissue(
    { site, layout, indexes, counts, sizeBytes }: CutRevision,
    { onlyFor = [] }: PublishOptions = {},
    within?: (transaction: Transaction, revision: PolicyRevision, body: Uint8Array) => Promise<void>,
  ): Promise<Published> {
    if (site !== this.of.site) {
      const message = `the policy is of site ${site}, and the authority of ${this.of.site}`;
      return Promise.reject(new SparcError('ERR_MESH_OTHER_SITE', message));
    }
    return this.deps.acts.act<Published>(this.of, async ({ transaction, acting, state }) => {
      if (onlyFor.length > 0) assertMembers((await state()).roster, onlyFor);
      const before = await newestRevision(transaction, acting.signer.publicKey);
      if (before?.indexes.join() === indexes.join() && before.onlyFor.join() === onlyFor.join()) {
        return { drafts: [], result: { number: before.number, isNew: false } };
      }
      const number = (before?.number ?? 0) + 1;
      const revision = { number, site, layout, indexes, counts, sizeBytes, onlyFor: [...onlyFor] };
      const body = PolicyRevision.encode(revision);
      await within?.(transaction, revision, body);
      return { drafts: [{ kind: POLICY_KIND, body }], result: { number, isNew: true } };
    });
  }

  /** Says that the newest revision still holds, and returns its number; undefined where none was signed yet. */
  confirm(): Promise<number | undefined> {
    return this.deps.acts.act(this.of, async ({ transaction, acting }) => {
      const newest = await newestRevision(transaction, acting.signer.publicKey);
      if (newest === undefined) return { drafts: [], result: undefined };
      const { number } = newest;
      return { drafts: [{ kind: BEACON_KIND, body: Beacon.encode({ number }) }], result: number };
    });
  }

  async #expel(
    { transaction: { query }, acting, state }: Act,
    key: string,
    heads?: readonly SignedHead[],
  ): Promise<readonly Draft[]> {
    const drafts = expel(acting, await state(), this.deps.crypto, key, heads ?? (await tipsOfMember(query, key)));
    await removeMember(query, key);
    return drafts;
  }

  #say(draftsOf: (act: Act) => Promise<readonly Draft[]>, within?: Within): Promise<void> {
    return this.deps.acts.act(this.of, async (act) => {
      const drafts = await draftsOf(act);
      await within?.(act.transaction);
      return { drafts, result: undefined };
    });
  }
}

/** On trial at a mistyped key alone, a revision would be applied nowhere, and its publisher would wait. */
function assertMembers({ members }: Roster, keys: readonly string[]): void {
  const stranger = keys.find((key) => !members.some((member) => member.key === key));
  if (stranger === undefined) return;
  throw new SparcError('ERR_MESH_MEMBER_UNKNOWN', `no gateway ${stranger} belongs to the site`, { key: stranger });
}
