import { Hello, HELLO_INTERVAL_MS, PartBrought, PartsWanted, type Carrier } from '@sparc/protocol/cloud-link';
import { isSparcError } from '@sparc/protocol/errors';
import { encodeBatch, type Batch } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import { isSameEpoch, tipsByAuthor, type EpochEnd } from '@sparc/protocol/replication';
import type { AuthoritySource } from '../authority/index.js';
import type { CloudBus } from '../broker/index.js';
import type { Database, Site } from '../db/index.js';
import { isMember } from '../identity/index.js';
import { WorkQueue, type WorkLimits } from '../ingest/index.js';
import { toHex } from '../platform/index.js';

/** Processes of this role share what gateways say. */
const SHARING = 'publisher';
const WORK_LIMITS: WorkLimits = { busyMax: 8, busyOfOneMax: 2, ofOneMax: 8, bytesMax: 16_777_216 };
/** Some 30 KiB each, and 257 KiB at the most. */
const PARTS_READ_AT_ONCE = 16;
/** A gateway that said nothing for so long has another process or no link, and says hello when it has. */
const SILENT_AFTER_MS = 3 * HELLO_INTERVAL_MS;

const NOT_TOLD = 'what the authority said could not be told to a gateway';

export type PublisherRefusal = 'flood' | 'notOfSite' | 'malformed' | 'unread';

export interface PublisherDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly bus: CloudBus;
  readonly authority: Pick<AuthoritySource, 'batches' | 'parts'>;
  readonly onRefused: (why: PublisherRefusal, carrier: Carrier) => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** A gateway that said hello to this process. */
interface Follower {
  readonly carrier: Carrier;
  /** Up to where it has the log of the authority, or was sent it. */
  ends: readonly EpochEnd[];
  heardAtMs: number;
  isSending: boolean;
  /** More came meanwhile. */
  isDue: boolean;
}

/**
 * Lets gateways have what the authority of their site says, when they say hello and when there is more, and the parts of the
 * policy that they ask for. A gateway verifies all of it, and asks again for what was lost.
 */
export class Publisher {
  readonly #work = new WorkQueue(WORK_LIMITS);
  /** By the name of a carrier. */
  readonly #followers = new Map<string, Follower>();

  constructor(private readonly deps: PublisherDeps) {}

  async start(): Promise<void> {
    const { bus } = this.deps;
    await bus.hear('hello', (carrier, body) => this.#receive(carrier, body, () => this.#hello(carrier, body)), SHARING);
    await bus.hear('parts', (carrier, body) => this.#receive(carrier, body, () => this.#parts(carrier, body)), SHARING);
  }

  /** The authority of a site said something. */
  grew({ tenant, site }: Site): void {
    const silentMs = this.deps.clock.monotonicMs() - SILENT_AFTER_MS;
    for (const [name, follower] of this.#followers) {
      const { carrier, heardAtMs } = follower;
      if (heardAtMs < silentMs) this.#followers.delete(name);
      else if (carrier.tenant === tenant && carrier.site === site) void this.#sendToMember(name, follower);
    }
  }

  /** Resolves when nothing is sent any more. */
  async stop(): Promise<void> {
    this.#followers.clear();
    await this.#work.stop();
  }

  #receive(carrier: Carrier, body: Uint8Array, take: () => Promise<void>): void {
    const run = async () => {
      try {
        await take();
      } catch (error) {
        this.#failed(error, carrier, 'a gateway could not be answered');
      }
    };
    if (this.#work.take({ owner: carrier, sizeBytes: body.length, run })) return;
    this.deps.onRefused('flood', carrier);
  }

  /** By what the gateway says, or does not read; anything else is ours. */
  #failed(error: unknown, carrier: Carrier, what: string): void {
    if (isSparcError(error, 'ERR_LEDGER_MALFORMED')) this.deps.onRefused('malformed', carrier);
    else if (isSparcError(error, 'ERR_LINK_UNREAD')) this.deps.onRefused('unread', carrier);
    else this.deps.onFailure(error, what);
  }

  async #hello(carrier: Carrier, body: Uint8Array): Promise<void> {
    const { tips } = Hello.decode(body);
    const authority = await this.#authorityOf(carrier);
    const name = `${carrier.tenant}/${carrier.gateway}`;
    if (authority === undefined) {
      this.#followers.delete(name);
      return;
    }
    const ends = tipsByAuthor(tips).get(toHex(authority)) ?? [];
    const follower = this.#followers.get(name) ?? { carrier, ends, heardAtMs: 0, isSending: false, isDue: false };
    follower.ends = ends;
    follower.heardAtMs = this.deps.clock.monotonicMs();
    this.#followers.set(name, follower);
    await this.#send(follower);
  }

  /** Undefined for a site without one, and for a gateway that does not belong to it. */
  async #authorityOf(carrier: Carrier): Promise<Uint8Array | undefined> {
    return this.deps.database.inTenant(carrier.tenant, async ({ query }) => {
      if (!(await isMember(query, carrier))) return undefined;
      const site = query.selectFrom('sites').select('authority_key').where('id', '=', carrier.site);
      return (await site.executeTakeFirst())?.authority_key ?? undefined;
    });
  }

  /** What the authority said last may be that it expelled the gateway. */
  async #sendToMember(name: string, follower: Follower): Promise<void> {
    try {
      if ((await this.#authorityOf(follower.carrier)) === undefined) this.#followers.delete(name);
      else await this.#send(follower);
    } catch (error) {
      this.deps.onFailure(error, NOT_TOLD);
    }
  }

  async #send(follower: Follower): Promise<void> {
    follower.isDue = true;
    if (follower.isSending) return;
    follower.isSending = true;
    try {
      while (follower.isDue) {
        follower.isDue = false;
        await this.#sendMissing(follower);
      }
    } catch (error) {
      this.#failed(error, follower.carrier, NOT_TOLD);
    } finally {
      follower.isSending = false;
    }
  }

  async #sendMissing(follower: Follower): Promise<void> {
    const { bus, authority } = this.deps;
    const { carrier } = follower;
    const batches = await authority.batches(carrier, follower.ends);
    for (const batch of batches) {
      await bus.say(carrier, 'batch', encodeBatch(batch));
      const others = follower.ends.filter(({ epoch }) => !isSameEpoch(epoch, batch.epoch));
      follower.ends = [...others, endOf(batch)];
    }
  }

  async #parts(carrier: Carrier, body: Uint8Array): Promise<void> {
    const { bus, authority, onRefused } = this.deps;
    const { request, hashes } = PartsWanted.decode(body);
    if ((await this.#authorityOf(carrier)) === undefined) {
      onRefused('notOfSite', carrier);
      return;
    }
    for (let first = 0; first < hashes.length; first += PARTS_READ_AT_ONCE) {
      const parts = await authority.parts(carrier, hashes.slice(first, first + PARTS_READ_AT_ONCE));
      for (const content of parts.values()) await bus.say(carrier, 'part', PartBrought.encode({ request, content }));
    }
    await bus.say(carrier, 'part', PartBrought.encode({ request }));
  }
}

const endOf = ({ epoch, firstSequence, contents }: Batch): EpochEnd => ({
  epoch,
  sequence: firstSequence + contents.length - 1,
});
