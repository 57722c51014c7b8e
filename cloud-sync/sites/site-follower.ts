import { sql } from 'kysely';
import { DeliveryLog, REPORTING_EVENTS } from '@sparc/protocol/delivery';
import { Entitlements } from '@sparc/protocol/directive';
import type { VerifySignature } from '@sparc/protocol/ports';
import { Delegation, mergeExpulsions, Roster, ROSTER_KIND, SignedRoster, type Expulsion } from '@sparc/protocol/roster';
import type { Database, Transaction } from '../db/index.js';
import { toHex } from '../platform/index.js';
import { cloudEvent, type CloudEvent } from './cloud-event.js';
import { gatewayNames } from './read-events.js';
import { AUTHORITY_KINDS, contentOf, markOf, saidOf, selectEntries, type EntryRow } from './site-entry.js';

/** Entries that are read at a time: others want the database as well. */
const ENTRIES_AT_ONCE = 500;
/** Of each author: an older one says nothing that those do not. */
const EPOCHS_MARKED = 2;
/** Of each author, the newest; a gateway starts a few times a day at most. */
export const EPOCHS_FOLLOWED_MAX = 256;
/** Of each author, the newest entries that a follower starts from: a hostile one fills no memory, and hides nothing of the others. */
export const STARTED_FROM_MAX = 10_000;

/** What a site has recorded since it was read last. */
export interface SiteNews {
  /** In the order of each gateway's log. */
  readonly events: readonly CloudEvent[];
  /** Something else is to be said of how far the gateways are. */
  readonly isDelivery: boolean;
  /** There is more of it already. */
  readonly isMore: boolean;
}

/** Up to where the log of an author is read, one epoch of it. */
interface Head {
  readonly author: Uint8Array;
  readonly epoch: number;
  readonly epoch_random: Uint8Array;
  readonly sequence: number;
}

/** Reads what gateways of a site have recorded, as it arrives, into what it proves of each of them. */
export class SiteFollower {
  /** By author and epoch. */
  readonly #read = new Map<string, number>();
  readonly #authority: string | undefined;
  readonly #entitlements: Entitlements;
  #expulsions: readonly Expulsion[] = [];
  readonly delivery: DeliveryLog;

  private constructor(
    private readonly database: Database,
    private readonly tenant: string,
    private readonly site: string,
    private readonly authority: Uint8Array | null,
    verify: VerifySignature,
  ) {
    this.#authority = authority === null ? undefined : toHex(authority);
    this.#entitlements = new Entitlements(this.#authority);
    this.delivery = new DeliveryLog(verify, this.#entitlements);
  }

  /** Has read all that was there. Undefined for a site that the tenant does not have. */
  static async open(
    database: Database,
    verify: VerifySignature,
    tenant: string,
    site: string,
  ): Promise<SiteFollower | undefined> {
    return database.inTenant(tenant, async (transaction) => {
      const { query } = transaction;
      const found = await query.selectFrom('sites').select('authority_key').where('id', '=', site).executeTakeFirst();
      if (found === undefined) return undefined;
      const follower = new SiteFollower(database, tenant, site, found.authority_key, verify);
      await follower.#load(transaction);
      return follower;
    });
  }

  /** Without one it has no gateways yet, and what it will be is not known. */
  get hasAuthority(): boolean {
    return this.authority !== null;
  }

  /** To whom the authority of the site delegated, by public key. */
  get operatorNames(): ReadonlyMap<string, string> {
    return new Map(this.#entitlements.operators.map(({ operator, name }) => [operator, name]));
  }

  /** By the key of each gateway that any roster expelled: the heads of its log up to which it counts. */
  get attested(): ReadonlyMap<string, Expulsion['heads']> {
    return new Map(this.#expulsions.map(({ key, heads }) => [key, heads]));
  }

  /** What the authority delegated to a key, without rights where that was withdrawn; undefined: nothing. */
  delegationTo(operator: string): Delegation | undefined {
    return this.#entitlements.newestOf(operator);
  }

  /** What came since. One call at a time. */
  async news(): Promise<SiteNews> {
    return this.database.inTenant(this.tenant, async (transaction) => {
      const grown = (await this.#heads(transaction)).filter((head) => head.sequence > this.#readOf(head));
      if (grown.length === 0) return { events: [], isDelivery: false, isMore: false };
      const names = await gatewayNames(transaction, this.site);
      const events: CloudEvent[] = [];
      let [isDelivery, isMore] = [false, false];
      for (const head of grown) {
        const rows = await this.#entriesOf(transaction, head);
        for (const row of rows) {
          isDelivery = this.#take(transaction, row) || isDelivery;
          events.push(...[cloudEvent(row, names) ?? []].flat());
        }
        const last = rows.length < ENTRIES_AT_ONCE ? head.sequence : (rows.at(-1)?.sequence ?? head.sequence);
        this.#read.set(nameOf(head), last);
        isMore ||= last < head.sequence;
      }
      return { events, isDelivery, isMore };
    });
  }

  /** What is said of how far gateways are, and of directives, is few entries of very many; beside them the newest of each. */
  async #load(transaction: Transaction): Promise<void> {
    for (const row of await this.#ofAuthority(transaction)) this.#take(transaction, row);
    const ofAuthors = new Map<string, Head[]>();
    for (const head of await this.#heads(transaction)) {
      const author = toHex(head.author);
      ofAuthors.set(author, [...(ofAuthors.get(author) ?? []), head]);
    }
    for (const heads of ofAuthors.values()) {
      for (const { head, after } of await this.#beginnings(transaction, heads)) {
        await this.#takeSaid(transaction, head, after);
      }
      for (const head of heads.slice(0, EPOCHS_MARKED)) {
        const newest = await this.#entriesOf(transaction, head, head.sequence - 1);
        for (const row of newest) this.delivery.mark(markOf(row));
      }
      for (const head of heads) this.#read.set(nameOf(head), head.sequence);
    }
  }

  /** Whatever another author calls one is none. */
  async #ofAuthority(transaction: Transaction): Promise<readonly EntryRow[]> {
    if (this.authority === null) return [];
    const said = selectEntries(transaction, this.site).where('author', '=', this.authority);
    return said.where('kind', 'in', AUTHORITY_KINDS).execute();
  }

  /** Behind which entries of one author reading begins, in its newest epochs, oldest first. `heads`: newest first. */
  async #beginnings(transaction: Transaction, heads: readonly Head[]) {
    const beginnings: { readonly head: Head; readonly after: number }[] = [];
    let left = STARTED_FROM_MAX;
    for (const head of heads) {
      if (left === 0) break;
      const newest = this.#saidOf(transaction, head).clearSelect().select('sequence').orderBy('sequence', 'desc');
      const found = await transaction.query
        .selectFrom(newest.limit(left).as('newest'))
        .select(({ fn }) => [fn.min<number | null>('sequence').as('first'), fn.countAll<number>().as('count')])
        .executeTakeFirstOrThrow();
      left -= Number(found.count);
      if (found.first !== null) beginnings.unshift({ head, after: Number(found.first) - 1 });
    }
    return beginnings;
  }

  async #takeSaid(transaction: Transaction, head: Head, after: number): Promise<void> {
    for (let last: number | undefined = after; last !== undefined;) {
      const rows: readonly EntryRow[] = await this.#saidOf(transaction, head)
        .where('sequence', '>', last)
        .orderBy('sequence')
        .limit(ENTRIES_AT_ONCE)
        .execute();
      for (const row of rows) this.#take(transaction, row);
      last = rows.length < ENTRIES_AT_ONCE ? undefined : rows.at(-1)?.sequence;
    }
  }

  /** True where it says how far a gateway is, or is about a directive. */
  #take(transaction: Transaction, row: EntryRow): boolean {
    this.delivery.mark(markOf(row));
    if (AUTHORITY_KINDS.includes(row.kind) && toHex(row.author) === this.#authority) {
      const content = contentOf(transaction, row);
      if (content !== undefined) {
        this.#takeAuthority(row.kind, content.body);
        return true;
      }
    }
    const said = saidOf(transaction, row);
    return said !== undefined && (this.delivery.take(said) || REPORTING_EVENTS.has(said.record.name));
  }

  #takeAuthority(kind: string, body: Uint8Array): void {
    if (kind === ROSTER_KIND) {
      const { expelled } = Roster.decode(SignedRoster.decode(body).roster);
      this.#expulsions = mergeExpulsions(this.#expulsions, expelled);
    } else if (this.#entitlements.take(Delegation.decode(body))) this.delivery.believed();
  }

  /** Newest epochs first. */
  async #heads({ query }: Transaction): Promise<readonly Head[]> {
    const heads = query
      .selectFrom('author_heads')
      .select(['author', 'epoch', 'epoch_random', 'sequence'])
      .select(sql<number>`row_number() over (partition by author order by epoch desc, epoch_random desc)`.as('place'))
      .where('site_id', '=', this.site);
    return query
      .selectFrom(heads.as('heads'))
      .select(['author', 'epoch', 'epoch_random', 'sequence'])
      .where('place', '<=', EPOCHS_FOLLOWED_MAX)
      .orderBy('place')
      .execute();
  }

  #entriesOf(transaction: Transaction, head: Head, after = this.#readOf(head)): Promise<readonly EntryRow[]> {
    return this.#inEpoch(transaction, head)
      .where('sequence', '>', after)
      .orderBy('sequence')
      .limit(ENTRIES_AT_ONCE)
      .execute();
  }

  /** Entries of an epoch that a page starts from. */
  #saidOf(transaction: Transaction, head: Head) {
    return this.#inEpoch(transaction, head).where(sql<boolean>`is_followed(record)`);
  }

  #inEpoch(transaction: Transaction, { author, epoch, epoch_random: random, sequence }: Head) {
    return selectEntries(transaction, this.site)
      .where('author', '=', author)
      .where('epoch', '=', epoch)
      .where('epoch_random', '=', random)
      .where('sequence', '<=', sequence);
  }

  #readOf(head: Head): number {
    return this.#read.get(nameOf(head)) ?? 0;
  }
}

const nameOf = ({ author, epoch, epoch_random: random }: Omit<Head, 'sequence'>): string =>
  `${toHex(author)} ${epoch} ${toHex(random)}`;
