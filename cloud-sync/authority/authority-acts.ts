import {
  continueLog,
  epochAbove,
  foldAuthority,
  type Acting,
  type AuthorityState,
  type Draft,
} from '@sparc/protocol/authority';
import { SparcError } from '@sparc/protocol/errors';
import { sameBytes, type LedgerCrypto, type SignedHead } from '@sparc/protocol/ledger';
import type { Clock, Random } from '@sparc/protocol/ports';
import { epochName, tipsOf } from '@sparc/protocol/replication';
import { Sealed, unseal } from '@sparc/protocol/roster';
import type { Database, Site, Transaction } from '../db/index.js';
import { sitePlace, type AuthorityKeys } from '../identity/index.js';
import { appendToLog, lockLog, Months, type Query, type StoredLog } from '../ingest/index.js';
import { toHex } from '../platform/index.js';
import { saidAt, stateEntries } from './authority-entries.js';

/** Processes have clocks of their own. One that is further behind is wrong, and so would be what it signs. */
const CLOCKS_APART_MAX_MS = 60_000;

export interface ActsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: LedgerCrypto;
  readonly database: Database;
  readonly keys: AuthorityKeys;
}

/** An authority in the middle of an act: nobody else puts anything behind its log meanwhile. */
export interface Act {
  readonly transaction: Transaction;
  readonly acting: Acting;
  /** What the authority has said last; with what this act is about to say, after that. */
  readonly state: (drafts?: readonly Draft[]) => Promise<AuthorityState>;
  /** 32 bytes. */
  readonly pinKey: Uint8Array;
}

/** What an act comes to. Without drafts, nothing is said. */
export interface Outcome<T> {
  readonly drafts: readonly Draft[];
  readonly result: T;
}

/**
 * Acts of site authorities, each in one transaction: it locks the head of the log, reads what was said, signs, and appends.
 * Of two processes one waits, and goes on behind the other.
 */
export class AuthorityActs {
  readonly #months: Months;
  /** Of the entries that this process signed last, by site: hashes in hex. Behind any other it opens an epoch. */
  readonly #signed = new Map<string, string>();

  constructor(private readonly deps: ActsDeps) {
    this.#months = new Months(deps.database);
  }

  /**
   * Throws what `work` throws, ERR_DATABASE_SITE_UNKNOWN, ERR_AUTHORITY_ELSEWHERE, ERR_AUTHORITY_KEY_ABSENT,
   * ERR_AUTHORITY_RESTORED or ERR_MESH_AUTHORITY_CLOCK.
   */
  async act<T>(of: Site, work: (act: Act) => Promise<Outcome<T>>): Promise<T> {
    const isOutside = await this.prepare();
    return this.deps.database.inTenant(of.tenant, async (transaction) => {
      const { acting, pinKey, isHalted } = await this.#actingFor(transaction.query, of);
      const stored = await lockLog(transaction.query, acting.signer.publicKey);
      if (isHalted) {
        const message = `what the authority of ${of.site} said since the backup is not known yet`;
        throw new SparcError('ERR_AUTHORITY_RESTORED', message, { site: of.site });
      }
      const state = (said?: readonly Draft[]) => this.#state(transaction, acting, said);
      const { drafts, result } = await work({ transaction, acting, pinKey, state });
      if (drafts.length > 0) await this.append(transaction, of, acting, stored, drafts, isOutside);
      return result;
    });
  }

  /** Reads without waiting for anybody. Throws as `act`, but for what is signed. */
  async read<T>(of: Site, work: (act: Act) => Promise<T>): Promise<T> {
    return this.deps.database.inTenant(of.tenant, async (transaction) => {
      const { acting, pinKey } = await this.#actingFor(transaction.query, of);
      const state = (said?: readonly Draft[]) => this.#state(transaction, acting, said);
      return work({ transaction, acting, pinKey, state });
    });
  }

  /** Of an act that is about to be: which instants no month is kept for. */
  prepare(): Promise<(instant: Date) => boolean> {
    const nowUnixMs = this.deps.clock.wall().unixMs;
    return this.#months.prepare([new Date(nowUnixMs), new Date(nowUnixMs + CLOCKS_APART_MAX_MS)]);
  }

  /** `stored`: the log, as it was locked in this transaction. */
  async append(
    transaction: Transaction,
    of: Site,
    acting: Acting,
    { log, stopped }: StoredLog,
    drafts: readonly Draft[],
    isOutside: (instant: Date) => boolean,
  ): Promise<void> {
    const { clock, random, crypto } = this.deps;
    const [tip] = tipsOf(log);
    const { hlc, wallUnixMs } = await saidAt(transaction, tip);
    assertClock(clock, wallUnixMs);
    const name = `${of.tenant}/${of.site}`;
    const isOwn = tip !== undefined && this.#isOwn(name, tip) && !stopped.has(epochName(tip.epoch));
    const counters = log.map(({ head }) => head.epoch.counter);
    const end = { site: of.site, head: tip, hlc, opens: isOwn ? undefined : epochAbove(counters, random) };
    const added = continueLog({ clock, crypto, signer: acting.signer }, end, drafts);
    // Before it is committed: should that fail, the next one finds another head, and opens an epoch.
    this.#signed.set(name, toHex(added.head.hash));
    if (await appendToLog(transaction, of, log, added, isOutside)) return;
    throw new Error(`somebody else began the log of the authority of ${of.site}`);
  }

  #isOwn(name: string, { hash }: SignedHead): boolean {
    return this.#signed.get(name) === toHex(hash);
  }

  async #actingFor(query: Query, of: Site): Promise<{ acting: Acting; pinKey: Uint8Array; isHalted: boolean }> {
    const { clock, random, keys } = this.deps;
    const { authorityKey, sealedPinKey, isHalted } = await sitePlace(query, of.site);
    const key = await keys.find(of.tenant, of.site);
    const pinKey = key && unseal(key.sealing.seed, Sealed.decode(sealedPinKey));
    if (key === undefined || pinKey === undefined || !sameBytes(key.signer.publicKey, authorityKey)) {
      throw new SparcError('ERR_AUTHORITY_KEY_ABSENT', `the key of ${of.site} is not here`, { site: of.site });
    }
    return { acting: { clock, random, ...key }, pinKey, isHalted };
  }

  async #state(transaction: Transaction, acting: Acting, drafts: readonly Draft[] = []): Promise<AuthorityState> {
    const entries = await stateEntries(transaction, acting.signer.publicKey);
    return foldAuthority(this.deps.crypto.verify, acting, [...entries, ...drafts]);
  }
}

function assertClock(clock: Clock, lastUnixMs: number): void {
  const { unixMs } = clock.wall();
  if (unixMs >= lastUnixMs - CLOCKS_APART_MAX_MS) return;
  const [now, last] = [unixMs, lastUnixMs].map((at) => new Date(at).toISOString());
  throw new SparcError('ERR_MESH_AUTHORITY_CLOCK', `it is ${now} here, and the authority signed at ${last}`);
}
