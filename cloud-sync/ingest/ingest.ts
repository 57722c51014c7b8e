import type { CloudBus } from '../broker/index.js';
import type { Database } from '../db/index.js';
import { Hello, signAcknowledgement, Wants, type Carrier, type StoredHead } from '@sparc/protocol/cloud-link';
import { isSparcError } from '@sparc/protocol/errors';
import { decodeBatch, isSignatureValid, type LedgerCrypto, type SignedHead } from '@sparc/protocol/ledger';
import type { Clock, Signer } from '@sparc/protocol/ports';
import {
  endsOf,
  epochName,
  holds,
  isOfSite,
  tipsByAuthor,
  tipsOf,
  type EpochEnd,
  type Fork,
  type Want,
} from '@sparc/protocol/replication';
import { takeUp } from '../identity/index.js';
import { fromHex, toHex } from '../platform/index.js';
import type { StoredLog } from './author-rows.js';
import { Carriers } from './carriers.js';
import { isBroughtEmptiedEarly } from './emptied-early.js';
import { Months } from './months.js';
import { RestoredWord } from './restored-word.js';
import { keepSaid, newerThan } from './said-heads.js';
import { greet } from './site-logs.js';
import { takeBatch } from './take-batch.js';
import { WorkQueue, type WorkLimits } from './work-queue.js';

/** Batches that a gateway has on its way at a time, by their bytes: what the broker and this process hold of each. */
export const CREDIT_BYTES = 1_048_576;
/** Processes of this role share what gateways say. */
const SHARING = 'ingest';
export const WORK_LIMITS: WorkLimits = {
  busyMax: 8,
  busyOfOneMax: 2,
  ofOneMax: 16,
  bytesMax: 67_108_864,
};

/** Why something was not taken; counted by it. */
export type IngestRefusal =
  'flood' | 'notOfSite' | 'foreignAuthor' | 'expelledAuthor' | 'forgedHead' | 'emptiedEarly' | 'malformed' | 'unread';

export interface IngestDeps {
  readonly clock: Clock;
  readonly crypto: LedgerCrypto;
  readonly database: Database;
  readonly bus: CloudBus;
  /** The key by which the cloud signs for a site. */
  readonly signerOf: (tenant: string, site: string) => Signer;
  readonly onRefused: (why: IngestRefusal, carrier: Carrier) => void;
  /** An author signed two histories. Evidence is stored. */
  readonly onFork: (fork: Fork, carrier: Carrier) => void;
  /** Of an author: gateways had emptied its log by a word that the cloud has lost since. Told once. */
  readonly onEmptied: (author: string, carrier: Carrier) => void;
  readonly onFailure: (error: unknown, what: string) => void;
  /** KEPT_MS, but where time runs faster. */
  readonly keptMs?: number;
}

/**
 * Takes the logs of sites into the database. What a gateway says only hints; the truth is in the database, so this may end at
 * any moment, and any number of processes may do it beside each other.
 */
export class Ingest {
  readonly #carriers = new Carriers();
  readonly #months: Months;
  readonly #word = new RestoredWord();
  readonly #work = new WorkQueue(WORK_LIMITS);

  constructor(private readonly deps: IngestDeps) {
    this.#months = new Months(deps.database);
  }

  async start(): Promise<void> {
    const { bus } = this.deps;
    await bus.hear('hello', (carrier, body) => this.#receive(carrier, body, 'hello'), SHARING);
    await bus.hear('batch', (carrier, body) => this.#receive(carrier, body, 'batch'), SHARING);
  }

  /** Resolves when the transactions under way are over. */
  async stop(): Promise<void> {
    await this.#work.stop();
  }

  #receive(carrier: Carrier, body: Uint8Array, what: 'hello' | 'batch'): void {
    const run = () => this.#take(carrier, what, body);
    if (this.#work.take({ owner: carrier, sizeBytes: body.length, run })) return;
    this.deps.onRefused('flood', carrier);
  }

  async #take(carrier: Carrier, what: 'hello' | 'batch', body: Uint8Array): Promise<void> {
    try {
      if (what === 'hello') await this.#hello(carrier, Hello.decode(body));
      else await this.#batch(carrier, body);
    } catch (error) {
      if (isSparcError(error) && error.code.startsWith('ERR_LEDGER_')) this.deps.onRefused('malformed', carrier);
      else if (isSparcError(error, 'ERR_LINK_UNREAD')) this.deps.onRefused('unread', carrier);
      else this.deps.onFailure(error, `a ${what} of a gateway could not be taken`);
    }
  }

  async #hello(carrier: Carrier, { tips, isFirst }: Hello): Promise<void> {
    const { clock, database } = this.deps;
    const site = await greet(database, carrier, clock.wall().unixMs);
    if (site === undefined) {
      this.deps.onRefused('notOfSite', carrier);
      return;
    }
    if (site.halted === undefined) this.#word.forget(carrier);
    const logs: Want[] = [];
    const newer = new Map<string, EpochEnd>();
    for (const [author, said] of tipsByAuthor(tips)) {
      const stored = site.logs.get(author);
      if (stored === undefined) {
        this.deps.onRefused('foreignAuthor', carrier);
        continue;
      }
      const news = this.#newsIn(carrier, stored, said);
      const newest = newerThan(site.said.get(author), [...news, ...said.filter((tip) => holds(stored.log, tip))]);
      if (newest !== undefined && site.said.has(author)) newer.set(author, newest);
      const log = logName(carrier, author);
      if (news.length === 0) {
        // All that this gateway knows of it is here.
        if (author === site.halted && said.some((tip) => holds(stored.log, tip))) await this.#told(carrier);
        continue;
      }
      if (author === site.halted) this.#word.announced(carrier, clock.monotonicMs());
      const offer = { news, held: stored.log, isFirst, isAuthor: author === carrier.gateway };
      if (!this.#carriers.ask(log, carrier.gateway, offer, clock.monotonicMs())) continue;
      logs.push({ site: carrier.site, author: fromHex(author), ends: endsOf(stored.log) });
    }
    if (newer.size > 0) {
      await database.inTenant(carrier.tenant, (transaction) => keepSaid(transaction, carrier.tenant, newer));
    }
    await this.#want(carrier, logs);
    await this.#acknowledge(
      carrier,
      true,
      [...site.logs.values()].flatMap(({ log }) => tipsOf(log)),
    );
  }

  /** All that a gateway of a restored site knows of its authority is here. */
  async #told(carrier: Carrier): Promise<void> {
    const { clock, crypto, database } = this.deps;
    const nowMs = clock.monotonicMs();
    this.#word.told(carrier, nowMs);
    await database.inTenant(carrier.tenant, (transaction) =>
      takeUp(transaction, crypto.verify, carrier, (roster) => this.#word.isEnough(carrier, roster, nowMs)),
    );
  }

  /** Heads of one author that lead to more than is stored. */
  #newsIn(carrier: Carrier, { log, stopped }: StoredLog, said: readonly SignedHead[]): readonly SignedHead[] {
    const news = said.filter(
      (tip) => isOfSite(tip.site, carrier.site) && !stopped.has(epochName(tip.epoch)) && !holds(log, tip),
    );
    const genuine = news.filter((tip) => isSignatureValid(this.deps.crypto, tip));
    if (genuine.length < news.length) this.deps.onRefused('forgedHead', carrier);
    return genuine;
  }

  async #batch(carrier: Carrier, body: Uint8Array): Promise<void> {
    const { clock, onFork, onEmptied, onRefused } = this.deps;
    const batch = decodeBatch(body);
    if (await isBroughtEmptiedEarly(this.deps, carrier, batch)) {
      onRefused('emptiedEarly', carrier);
      return;
    }
    const name = logName(carrier, toHex(batch.author));
    const taken = await takeBatch({ ...this.deps, months: this.#months }, carrier, batch);
    if (taken.kind === 'expelled') {
      onRefused('expelledAuthor', { ...carrier, gateway: toHex(batch.author) });
      return;
    }
    if (taken.kind === 'foreign' || taken.kind === 'notOfSite') {
      onRefused(taken.kind === 'foreign' ? 'foreignAuthor' : 'notOfSite', carrier);
      return;
    }
    const { log } = taken.stored;
    switch (taken.kind) {
      case 'stored':
      case 'known':
        if (taken.kind === 'stored')
          this.#carriers.brought(name, carrier.gateway, log, taken.entriesCount, clock.monotonicMs());
        if (this.#carriers.isPassedOver(name, carrier.gateway)) break;
        await this.#acknowledge(
          carrier,
          false,
          log.map(({ head }) => head).filter(({ epoch }) => epochName(epoch) === epochName(batch.epoch)),
        );
        break;
      case 'early':
        await this.#want(carrier, [{ site: carrier.site, author: batch.author, ends: endsOf(log) }]);
        break;
      case 'forked':
        this.#carriers.forget(name);
    }
    if ('isFirstEmptied' in taken && taken.isFirstEmptied) onEmptied(toHex(batch.author), carrier);
    if ('fork' in taken && taken.fork !== undefined) onFork(taken.fork, carrier);
  }

  async #want(carrier: Carrier, logs: readonly Want[]): Promise<void> {
    if (logs.length === 0) return;
    await this.deps.bus.say(carrier, 'want', Wants.encode({ logs, creditBytes: CREDIT_BYTES }));
  }

  /** Only of what is on the disk for good. */
  async #acknowledge(carrier: Carrier, complete: boolean, heads: readonly SignedHead[]): Promise<void> {
    const { bus, clock, signerOf } = this.deps;
    const signed = signAcknowledgement(signerOf(carrier.tenant, carrier.site), {
      site: carrier.site,
      issuedUnixMs: clock.wall().unixMs,
      complete,
      heads: heads.map(storedHead),
    });
    await bus.say(carrier, 'ack', signed);
  }
}

const storedHead = ({ author, epoch, sequence, hash }: SignedHead): StoredHead => ({ author, epoch, sequence, hash });

const logName = ({ tenant, site }: Carrier, author: string): string => `${tenant}/${site}/${author}`;
