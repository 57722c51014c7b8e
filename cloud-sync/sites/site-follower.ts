import { sql } from 'kysely';
import { DeliveryLog, REPORTING_EVENTS } from '@sparc/protocol/delivery';
import { Entitlements } from '@sparc/protocol/directive';
import { EntryContent } from '@sparc/protocol/ledger';
import type { VerifySignature } from '@sparc/protocol/ports';
import { Delegation, DELEGATION_KIND } from '@sparc/protocol/roster';
import type { Database, Transaction } from '../db/index.js';
import { toHex } from '../platform/index.js';
import { cloudEvent, type CloudEvent } from './cloud-event.js';
import { gatewayNames } from './read-events.js';
import { markOf, saidOf, selectEntries, type EntryRow } from './site-entry.js';

/** Entries that are read at a time: others want the database as well. */
const ENTRIES_AT_ONCE = 500;
/** Of each author: an older one says nothing that those do not. */
const EPOCHS_MARKED = 2;

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
  readonly #entitlements: Entitlements;
  readonly delivery: DeliveryLog;

  private constructor(
    private readonly database: Database,
    private readonly tenant: string,
    private readonly site: string,
    private readonly authority: Uint8Array | null,
    verify: VerifySignature,
  ) {
    this.#entitlements = new Entitlements(authority === null ? undefined : toHex(authority));
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
          isDelivery = this.#take(row) || isDelivery;
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
    const heads = await this.#heads(transaction);
    const said = selectEntries(transaction, this.site).where(
      sql<boolean>`(kind = ${DELEGATION_KIND} or is_of_delivery(record))`,
    );
    const rows = await said.orderBy('author').orderBy('epoch').orderBy('epoch_random').orderBy('sequence').execute();
    for (const row of rows) this.#take(row);
    const marked = new Map<string, number>();
    for (const head of heads) {
      const author = toHex(head.author);
      const count = (marked.get(author) ?? 0) + 1;
      marked.set(author, count);
      if (count > EPOCHS_MARKED) continue;
      const newest = await this.#entriesOf(transaction, head, head.sequence - 1);
      for (const row of newest) this.delivery.mark(markOf(row));
    }
    for (const head of heads) this.#read.set(nameOf(head), head.sequence);
  }

  /** True where it says how far a gateway is, or is about a directive. */
  #take(row: EntryRow): boolean {
    this.delivery.mark(markOf(row));
    if (row.kind === DELEGATION_KIND && row.content !== null) {
      if (this.#entitlements.take(Delegation.decode(EntryContent.decode(row.content).body))) this.delivery.believed();
      return true;
    }
    const said = saidOf(row);
    return said !== undefined && (this.delivery.take(said) || REPORTING_EVENTS.has(said.record.name));
  }

  /** Newest epochs first. */
  async #heads({ query }: Transaction): Promise<readonly Head[]> {
    return query
      .selectFrom('author_heads')
      .select(['author', 'epoch', 'epoch_random', 'sequence'])
      .where('site_id', '=', this.site)
      .orderBy('epoch', 'desc')
      .execute();
  }

  #entriesOf(transaction: Transaction, head: Head, after = this.#readOf(head)): Promise<readonly EntryRow[]> {
    return selectEntries(transaction, this.site)
      .where('author', '=', head.author)
      .where('epoch', '=', head.epoch)
      .where('epoch_random', '=', head.epoch_random)
      .where('sequence', '>', after)
      .where('sequence', '<=', head.sequence)
      .orderBy('sequence')
      .limit(ENTRIES_AT_ONCE)
      .execute();
  }

  #readOf(head: Head): number {
    return this.#read.get(nameOf(head)) ?? 0;
  }
}

const nameOf = ({ author, epoch, epoch_random: random }: Omit<Head, 'sequence'>): string =>
  `${toHex(author)} ${epoch} ${toHex(random)}`;
