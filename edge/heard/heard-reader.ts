import { isDeepStrictEqual } from 'node:util';
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
import { epochName, type AuthorLog } from '@sparc/protocol/replication';
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
/** Entries looked at for that. */
const READ_ENTRIES_MAX = 512;
/** And then it is enough, whatever is left: something else may wait for the thread. */
const READ_MAX_MS = 10;
/** Entries that one author may have the field take; what comes beyond waits, and nobody else with it. */
export const HEARD_PACE: Pace = { perSecond: 1_000, burst: 8_192, pieceMin: 1 };
/** And directives among them, each of which takes a millisecond to open. */
export const DIRECTIVES_PACE: Pace = { perSecond: 20, burst: 1_000, pieceMin: 1 };
/** After what does not hold, its author is read again so much later. */
export const REFUSED_PAUSE_MS = 10_000;

export interface HeardReaderDeps {
  readonly clock: Clock;
  readonly crypto: LedgerCrypto;
  readonly logs: HeardLogs;
  /** Own public key, in hex. */
  readonly self: string;
  /** The own journal: what replicas have beyond it was lost with a disk that was set back, and is heard as if another said it. */
  readonly ownLog: () => AuthorLog;
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
 * Reads what other gateways and the authority say, and what this one said before its disk was set back, as it comes to the own
 * disk, and goes on from where it was. The authority comes first, and then whoever has the least that is unread: a member that
 * says much is waited for by nobody.
 */
export class HeardReader {
  readonly #authority: string;
  readonly #credits: Credits;
  readonly #directiveCredits: Credits;
  readonly #logs: VerifiedLogs;
  /** As the authority signed it. */
  #signed: Roster;
  #expulsions: readonly Expulsion[];
  /** With what operators expelled. */
  #roster: Roster;
  /** That was not told yet. */
  #news: Roster | undefined;
  #delegations: Delegation[] = [];
  /** By author: what was verified and not yet looked at, the next one last. */
  readonly #verified = new Map<string, ChainedEntry[]>();
  /** Counter of the newest epoch that was lost, until it is told. */
  #lostEpoch: number | undefined;
  /** By author: of all entries looked at. */
  readonly #latestUnixMs = new Map<string, number>();
  /** By author: until when it is not read, on the monotonic clock. */
  readonly #pausedUntilMs = new Map<string, number>();
  readonly #refused = new Set<string>();
  /** They are others than were told. */
  #isRefusedNew = false;
  /** By author: how much is untold of what was there at the start; nobody of whom nothing is. Undefined: before the first look. */
  #backlog: Map<string, number> | undefined;

  constructor(private readonly deps: HeardReaderDeps) {
    const { clock, crypto, logs, self, ownLog, authority, roster, expulsions } = deps;
    this.#authority = toHex(authority);
    this.#credits = new Credits(clock, HEARD_PACE);
    this.#directiveCredits = new Credits(clock, DIRECTIVES_PACE);
    this.#signed = roster;
    this.#expulsions = expulsions;
    this.#roster = this.#news = withExpulsions(roster, expulsions);
    const attestedHeads = (author: string) => this.#roster.expelled.find(({ key }) => key === author)?.heads;
    const known = (author: string) => (author === self ? ownLog() : []);
    this.#logs = new VerifiedLogs({ crypto, logs, siteId: roster.site, attestedHeads, known });
  }

  /** All whom operators expelled: of their logs counts from now on what was attested. */
  expelled(expulsions: readonly Expulsion[]): void {
    this.#expulsions = mergeExpulsions(this.#expulsions, expulsions);
    this.#belong();
  }

  /** A piece of what is new, in some 10 ms; `heard` is absent where nothing is to be told. Throws as the store does. */
  read(): { readonly heard?: Heard; readonly isMore: boolean } {
    this.#backlog ??= new Map(
      this.#authors()
        .map((author) => [author, this.#logs.unreadCount(author)] as const)
        .filter(([, count]) => count > 0),
    );
    const behindCount = this.#backlog.size;
    const entries: HeardEntry[] = [];
    this.#readSome(this.#backlog, entries);
    const [delegations, news] = [this.#delegations, this.#news];
    const refused = this.#isRefusedNew ? [...this.#refused] : undefined;
    this.#isRefusedNew = false;
    this.#delegations = [];
    this.#news = undefined;
    const behind = [...this.#backlog.keys()];
    const due = this.#due();
    const isMore = due.length > 0;
    const { self } = this.deps;
    // Not one after the other: each is gone above by an epoch more.
    const lostEpoch = due.includes(self) ? undefined : this.#lostEpoch;
    if (lostEpoch !== undefined) this.#lostEpoch = undefined;
    const isNews = news !== undefined || refused !== undefined || lostEpoch !== undefined;
    if (!isNews && entries.length + delegations.length === 0 && behind.length === behindCount) return { isMore };
    const roster = news && { self, authority: this.#authority, members: news.members, expelled: news.expelled };
    return {
      heard: {
        delegations,
        ...(roster && { roster }),
        entries,
        ...(lostEpoch !== undefined && { lostEpoch }),
        ...(refused && { refused }),
        behind,
      },
      isMore,
    };
  }

  #readSome(backlog: Map<string, number>, entries: HeardEntry[]): void {
    const { clock } = this.deps;
    const endMs = clock.monotonicMs() + READ_MAX_MS;
    let count = 0;
    const isEnough = () =>
      count >= READ_ENTRIES_MAX || entries.length >= HEARD_ENTRIES_MAX || (count > 0 && clock.monotonicMs() >= endMs);
    for (const author of this.#due()) {
      while (!isEnough() && !this.#isPaused(author)) {
        const next = this.#next(author);
        // Of what does not hold there is nothing to wait for either.
        if (next === undefined) backlog.delete(author);
        if (next === undefined) break;
        const entry = this.#entryOf(author, next);
        if (entry !== undefined) entries.push(entry);
        count += 1;
        countDown(backlog, author);
      }
    }
  }

  /** By key: whoever has something that may be read now, in the order of its turn. */
  #due(): string[] {
    const unread = this.#authors()
      .filter((author) => !this.#isPaused(author))
      .map((author) => ({ author, count: this.#unreadCount(author) }))
      .filter(({ count }) => count > 0);
    const order = ({ author, count }: (typeof unread)[number]) => (author === this.#authority ? 0 : count);
    return unread.sort((a, b) => order(a) - order(b)).map(({ author }) => author);
  }

  #unreadCount(author: string): number {
    return this.#logs.unreadCount(author) + (this.#verified.get(author)?.length ?? 0);
  }

  #authors(): string[] {
    const { members, expelled } = this.#roster;
    return [this.#authority, ...[...members, ...expelled].map(({ key }) => key)];
  }

  #isPaused(author: string): boolean {
    return (this.#pausedUntilMs.get(author) ?? -Infinity) > this.deps.clock.monotonicMs();
  }

  #pause(author: string, pauseMs: number): void {
    const untilMs = this.deps.clock.monotonicMs() + pauseMs;
    this.#pausedUntilMs.set(author, Math.max(untilMs, this.#pausedUntilMs.get(author) ?? -Infinity));
  }

  #next(author: string): ChainedEntry | undefined {
    const left = this.#verified.get(author)?.pop();
    if (left !== undefined) return left;
    try {
      const entries = [...(this.#logs.next(author) ?? [])].reverse();
      if (this.#refused.delete(author)) this.#isRefusedNew = true;
      const next = entries.pop();
      this.#verified.set(author, entries);
      return next;
    } catch (error) {
      if (!isSparcError(error) || error.code === 'ERR_LEDGER_CORRUPT') throw error;
      this.#pause(author, REFUSED_PAUSE_MS);
      if (!this.#refused.has(author)) {
        this.#isRefusedNew = true;
        this.deps.onRefused(author, error);
      }
      this.#refused.add(author);
      return undefined;
    }
  }

  /** What says nothing that this version can read is passed over: whatever is behind it counts. */
  #entryOf(author: string, { epoch, sequence, content }: ChainedEntry): HeardEntry | undefined {
    const { kind, hlc, wallUnixMs, timeQuality, body } = EntryContent.decode(content);
    const latestUnixMs = Math.max(hlc.unixMs, this.#latestUnixMs.get(author) ?? 0);
    this.#latestUnixMs.set(author, latestUnixMs);
    if (author === this.deps.self) this.#lostEpoch = Math.max(this.#lostEpoch ?? 0, epoch.counter);
    try {
      const isAuthority = author === this.#authority;
      if (isAuthority) this.#takeAuthority(kind, body);
      if (kind !== EVENT_KIND) return undefined;
      const record = decodeEvent(body);
      if (!isHeard(record.name) || !isKnownRecord(record)) return undefined;
      // It directs, and nothing happens to it.
      if (isAuthority && record.name !== 'directive.given') return undefined;
      const id = { author, epoch: epoch.counter, sequence };
      this.#pay(author, this.#credits);
      return {
        id,
        epochName: epochName(epoch),
        hlc,
        wallUnixMs,
        timeQuality,
        record,
        ...this.#opened(author, record, latestUnixMs),
      };
    } catch (error) {
      if (isSparcError(error)) return undefined;
      throw error;
    }
  }

  #opened(author: string, record: EventRecord, latestUnixMs: number): Pick<HeardEntry, 'directive'> {
    if (record.name !== 'directive.given') return {};
    this.#pay(author, this.#directiveCredits);
    return { directive: openHeard(this.deps.crypto.verify, this.#signed.site, record, latestUnixMs) };
  }

  #pay(author: string, credits: Credits): void {
    const waitMs = credits.spend(author, 1);
    if (waitMs > 0) this.#pause(author, waitMs);
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

  /** Of whoever is expelled, what counts is told anew whenever that is other than before: what was told may be more, or less. */
  #belong(): void {
    const before = new Map(this.#roster.expelled.map(({ key, heads }) => [key, heads]));
    this.#roster = this.#news = withExpulsions(this.#signed, this.#expulsions);
    for (const { key, heads } of this.#roster.expelled) {
      if (isDeepStrictEqual(before.get(key), heads)) continue;
      this.#logs.reread(key);
      this.#verified.delete(key);
      this.#latestUnixMs.delete(key);
    }
  }
}

const heardEvents: ReadonlySet<string> = new Set(HEARD_EVENTS);
const isHeard = (name: string): boolean => heardEvents.has(name);

function countDown(counts: Map<string, number>, key: string): void {
  const count = counts.get(key);
  if (count === undefined) return;
  if (count > 1) counts.set(key, count - 1);
  else counts.delete(key);
}
