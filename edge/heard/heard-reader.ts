import { isSparcError, type SparcError } from '@sparc/protocol/errors';
import type { EventRecord } from '@sparc/protocol/events';
import {
  decodeEvent,
  EntryContent,
  EVENT_KIND,
  isKnownRecord,
  type ChainedEntry,
  type LedgerCrypto,
} from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import {
  Delegation,
  DELEGATION_KIND,
  mergeExpulsions,
  newestOf,
  openRoster,
  ROSTER_KIND,
  SignedRoster,
  withExpulsions,
  type Expulsion,
  type Roster,
} from '@sparc/protocol/roster';
import { Credits, type Pace } from '../mesh/pace.js';
import { toHex } from '../platform/index.js';
import { openHeard } from './heard-directive.js';
import type { Heard, HeardEntry } from './heard-entry.js';
import { HEARD_EVENTS } from './heard-events.js';
import { VerifiedLogs, type HeardLogs } from './verified-logs.js';

/** Entries told at a time. */
export const HEARD_ENTRIES_MAX = 128;
/** Entries verified for that, unless one batch has more. */
const VERIFIED_ENTRIES_MAX = 512;
/** Entries that one author may have the field take; what comes beyond waits, and nobody else with it. */
export const HEARD_PACE: Pace = { perSecond: 1_000, burst: 8_192, pieceMin: 1 };
/** After what does not hold, its author is read again so much later. */
export const REFUSED_PAUSE_MS = 10_000;

export interface HeardReaderDeps {
  readonly clock: Clock;
  readonly crypto: LedgerCrypto;
  readonly logs: HeardLogs;
  /** Own public key, in hex: what the gateway says itself is in its journal. */
  readonly self: string;
  /** Ed25519 public key of the site authority, 32 bytes. */
  readonly authority: Uint8Array;
  /** The newest that is known. */
  readonly roster: Roster;
  /** What operators expelled beside it. */
  readonly expulsions: readonly Expulsion[];
  /** What stands in a log does not hold, and nothing behind it is heard; once, until it does. */
  readonly onRefused: (author: string, error: SparcError) => void;
}

/**
 * Reads what other gateways and the authority say, as it comes to the own disk, and goes on from where it was. The authority
 * comes first, and then whoever has the least that is unread: a member that says much is waited for by nobody.
 */
export class HeardReader {
  readonly #authority: string;
  readonly #credits: Credits;
  readonly #logs: VerifiedLogs;
  /** As the authority signed it. */
  #signed: Roster;
  #expulsions: readonly Expulsion[];
  /** With what operators expelled. */
  #roster: Roster;
  /** That was not told yet. */
  #news: Roster | undefined;
  #delegations: Delegation[] = [];
  #entries: HeardEntry[] = [];
  /** By author: until when it is not read, on the monotonic clock. */
  readonly #pausedUntilMs = new Map<string, number>();
  readonly #refused = new Set<string>();
  /** By author: how much is unread of what was there at the start. Undefined: before the first look. */
  #backlog: Map<string, number> | undefined;
  #isCaughtUp = false;

  constructor(private readonly deps: HeardReaderDeps) {
    const { clock, crypto, logs, authority, roster, expulsions } = deps;
    this.#authority = toHex(authority);
    this.#credits = new Credits(clock, HEARD_PACE);
    this.#signed = roster;
    this.#expulsions = expulsions;
    this.#roster = this.#news = withExpulsions(roster, expulsions);
    const attestedHeads = (author: string) => this.#roster.expelled.find(({ key }) => key === author)?.heads;
    this.#logs = new VerifiedLogs({ crypto, logs, siteId: roster.site, attestedHeads });
  }

  /** All whom operators expelled: of their logs counts from now on what was attested. */
  expelled(expulsions: readonly Expulsion[]): void {
    this.#expulsions = mergeExpulsions(this.#expulsions, expulsions);
    this.#belong();
  }

  /** A piece of what is new, in some 10 ms; `heard` is absent where nothing is to be told. Throws as the store does. */
  read(): { readonly heard?: Heard; readonly isMore: boolean } {
    this.#backlog ??= new Map(this.#authors().map((author) => [author, this.#logs.unreadCount(author)]));
    const verifiedCount = this.#verifySome(this.#backlog);
    const entries = this.#entries.splice(0, HEARD_ENTRIES_MAX);
    const [delegations, news, wasCaughtUp] = [this.#delegations, this.#news, this.#isCaughtUp];
    this.#delegations = [];
    this.#news = undefined;
    this.#isCaughtUp ||= this.#entries.length === 0 && [...this.#backlog.values()].every((count) => count <= 0);
    const isMore = verifiedCount + entries.length > 0;
    const isSilent = entries.length + delegations.length === 0 && news === undefined;
    if (isSilent && wasCaughtUp === this.#isCaughtUp) return { isMore };
    const { self } = this.deps;
    const roster = news && { self, authority: this.#authority, members: news.members, expelled: news.expelled };
    return { heard: { delegations, ...(roster && { roster }), entries, isCaughtUp: this.#isCaughtUp }, isMore };
  }

  /** Of how many entries it took note. */
  #verifySome(backlog: Map<string, number>): number {
    let count = 0;
    for (const author of this.#due()) {
      while (count < VERIFIED_ENTRIES_MAX && this.#entries.length < HEARD_ENTRIES_MAX && !this.#isPaused(author)) {
        const entries = this.#next(author);
        if (entries === undefined) break;
        for (const entry of entries) this.#take(author, entry);
        count += entries.length;
        backlog.set(author, (backlog.get(author) ?? 0) - entries.length);
      }
      // It is of no use to wait for what does not hold.
      if (this.#refused.has(author)) backlog.delete(author);
    }
    return count;
  }

  #due(): string[] {
    const unread = this.#authors()
      .filter((author) => !this.#isPaused(author))
      .map((author) => ({ author, count: this.#logs.unreadCount(author) }))
      .filter(({ count }) => count > 0);
    const order = ({ author, count }: (typeof unread)[number]) => (author === this.#authority ? 0 : count);
    return unread.sort((a, b) => order(a) - order(b)).map(({ author }) => author);
  }

  #authors(): string[] {
    const { members, expelled } = this.#roster;
    const gateways = [...members, ...expelled].map(({ key }) => key);
    return [this.#authority, ...gateways.filter((key) => key !== this.deps.self)];
  }

  #isPaused(author: string): boolean {
    return (this.#pausedUntilMs.get(author) ?? -Infinity) > this.deps.clock.monotonicMs();
  }

  #pause(author: string, pauseMs: number): void {
    this.#pausedUntilMs.set(author, this.deps.clock.monotonicMs() + pauseMs);
  }

  #next(author: string): readonly ChainedEntry[] | undefined {
    try {
      const entries = this.#logs.next(author);
      this.#refused.delete(author);
      return entries;
    } catch (error) {
      if (!isSparcError(error) || error.code === 'ERR_LEDGER_CORRUPT') throw error;
      this.#pause(author, REFUSED_PAUSE_MS);
      if (!this.#refused.has(author)) this.deps.onRefused(author, error);
      this.#refused.add(author);
      return undefined;
    }
  }

  /** What says nothing that this version can read is passed over: whatever is behind it counts. */
  #take(author: string, { epoch, sequence, content }: ChainedEntry): void {
    const { kind, hlc, wallUnixMs, timeQuality, body } = EntryContent.decode(content);
    try {
      if (author === this.#authority) return this.#takeAuthority(kind, body);
      if (kind !== EVENT_KIND) return;
      const record = decodeEvent(body);
      if (!isHeard(record.name) || !isKnownRecord(record)) return;
      const id = { author, epoch: epoch.counter, sequence };
      this.#entries.push({ id, hlc, wallUnixMs, timeQuality, record, ...this.#opened(record) });
    } catch (error) {
      if (isSparcError(error)) return;
      throw error;
    }
    const waitMs = this.#credits.spend(author, 1);
    if (waitMs > 0) this.#pause(author, waitMs);
  }

  #opened(record: EventRecord): Pick<HeardEntry, 'directive'> {
    if (record.name !== 'directive.given') return {};
    return { directive: openHeard(this.deps.crypto.verify, this.#signed.site, record) };
  }

  #takeAuthority(kind: string, body: Uint8Array): void {
    if (kind === DELEGATION_KIND) this.#delegations.push(Delegation.decode(body));
    if (kind === ROSTER_KIND) this.#takeRoster(SignedRoster.decode(body));
  }

  #takeRoster(signed: SignedRoster): void {
    const { crypto, authority } = this.deps;
    const shown = openRoster(crypto.verify, authority, signed);
    if (shown.site !== this.#signed.site || newestOf(this.#signed, shown) !== shown) return;
    this.#signed = shown;
    this.#belong();
  }

  /** Of whoever is expelled from now on, what still counts is told anew: what was told may be more. */
  #belong(): void {
    const before = new Set(this.#roster.expelled.map(({ key }) => key));
    this.#roster = this.#news = withExpulsions(this.#signed, this.#expulsions);
    for (const { key } of this.#roster.expelled) {
      if (before.has(key)) continue;
      this.#logs.reread(key);
      this.#entries = this.#entries.filter(({ id }) => id.author !== key);
    }
  }
}

const heardEvents: ReadonlySet<string> = new Set(HEARD_EVENTS);
const isHeard = (name: string): boolean => heardEvents.has(name);
