import { openAcknowledgement, type StoredHead } from '@sparc/protocol/cloud-link';
import { KEPT_DAYS, KEPT_MS } from '@sparc/protocol/ledger';
import type { VerifySignature, WallTime } from '@sparc/protocol/ports';
import { toHex } from '../platform/index.js';

/** One that is old enough, the newest, and about one for each day between. */
export const CLOUD_WORDS_MAX = 10;
/** What the cloud says and dates otherwise than so near to now is passed over: one of the two clocks is wrong. */
export const WORD_AMISS_MS = 3_600_000;

/** Of one word, some 250 heads, so that two fit into a message of the site process: a site with more of them keeps everything. */
export const WORD_BYTES_MAX = 24_000;

/** What the cloud said at one time to have of all logs of the site. */
export interface CloudWord {
  /** As the cloud signed it. */
  readonly signed: Uint8Array;
  readonly issuedUnixMs: number;
  /** By author, in hex: every head leads to all that it had. */
  readonly heads: ReadonlyMap<string, readonly StoredHead[]>;
}

export interface CloudWordsDeps {
  readonly wall: () => WallTime;
  readonly verify: VerifySignature;
  readonly siteId: string;
  /** The key by which the cloud signs for the site. */
  readonly cloudKey: Uint8Array;
  /** KEPT_MS, but where time runs faster. */
  readonly keptMs?: number;
}

/** What the cloud said to have, whoever brought it. What is not of all logs, too long, or says nothing new is passed over. */
export class CloudWords {
  /** The earliest first; all but the newest of them are kept over a start. */
  #words: readonly CloudWord[] = [];
  readonly #keptMs: number;
  /** Words that are kept lie so far apart, and no older one says what the cloud has now. */
  readonly #dayMs: number;

  constructor(private readonly deps: CloudWordsDeps) {
    this.#keptMs = deps.keptMs ?? KEPT_MS;
    this.#dayMs = this.#keptMs / KEPT_DAYS;
  }

  /**
   * What the cloud says at this moment. Its date counts later: so it is passed over while nobody knows the time, and where the two clocks are
   * far apart. True where there is another word to be kept on the disk. Throws ERR_LINK_ACKNOWLEDGEMENT_INVALID.
   */
  hear(signed: Uint8Array): boolean {
    const word = this.#open(signed);
    return word !== undefined && this.#isOfNow(word) && this.#keep(word);
  }

  /** The same of a word that somebody heard before, and kept. */
  take(signed: Uint8Array): boolean {
    const word = this.#open(signed);
    return word !== undefined && this.#keep(word);
  }

  /** The newest that is so old that what it names may be emptied. Undefined while nobody knows the time. */
  get old(): CloudWord | undefined {
    return this.#words.findLast((word) => this.#isOfAge(word, this.#keptMs));
  }

  /** What the cloud says now. Undefined where it said nothing for a day: it may have lost something since. */
  get newest(): CloudWord | undefined {
    const newest = this.#sound.at(-1);
    return newest && this.#isOfAge(newest, this.#dayMs) ? undefined : newest;
  }

  /** Those that are needed later, for the disk. */
  get kept(): readonly CloudWord[] {
    const [before, newest] = this.#words.slice(-2);
    return before === undefined || newest === undefined || this.#isApart(before, newest)
      ? this.#words
      : this.#words.slice(0, -1);
  }

  /** Undefined where it is not of all logs, or too long. */
  #open(signed: Uint8Array): CloudWord | undefined {
    const { verify, cloudKey, siteId } = this.deps;
    const { complete, issuedUnixMs, heads } = openAcknowledgement(verify, cloudKey, siteId, signed);
    if (!complete || signed.length > WORD_BYTES_MAX) return undefined;
    const byAuthor = new Map<string, StoredHead[]>();
    for (const head of heads) {
      const author = toHex(head.author);
      byAuthor.set(author, [...(byAuthor.get(author) ?? []), head]);
    }
    return { signed, issuedUnixMs, heads: byAuthor };
  }

  #keep(word: CloudWord): boolean {
    const last = this.#sound.at(-1);
    const isNewest = last === undefined || word.issuedUnixMs > last.issuedUnixMs;
    if (this.#isToCome(word) || (!isNewest && !this.#isNewlyOld(word))) return false;
    const before = this.kept;
    this.#words = this.#spaced([...this.#sound, word].sort((a, b) => a.issuedUnixMs - b.issuedUnixMs));
    return this.kept.length !== before.length || this.kept.some((each, at) => each !== before[at]);
  }

  #isOfNow({ issuedUnixMs }: CloudWord): boolean {
    const { unixMs } = this.deps.wall();
    return this.#knownUnixMs !== undefined && Math.abs(unixMs - issuedUnixMs) <= WORD_AMISS_MS;
  }

  /** Without what the cloud dated ahead while its clock was wrong, and whoever took it knew no time: it would stay the newest for as long. */
  get #sound(): readonly CloudWord[] {
    return this.#words.filter((word) => !this.#isToCome(word));
  }

  #isToCome({ issuedUnixMs }: CloudWord): boolean {
    return this.#knownUnixMs !== undefined && issuedUnixMs > this.deps.wall().unixMs + WORD_AMISS_MS;
  }

  #isNewlyOld(word: CloudWord): boolean {
    return this.#isOfAge(word, this.#keptMs) && word.issuedUnixMs > (this.old?.issuedUnixMs ?? -Infinity);
  }

  /** Surely. */
  #isOfAge({ issuedUnixMs }: CloudWord, ageMs: number): boolean {
    const nowUnixMs = this.#knownUnixMs;
    return nowUnixMs !== undefined && nowUnixMs - issuedUnixMs >= ageMs;
  }

  /** The earliest that it can be now. */
  get #knownUnixMs(): number | undefined {
    const { unixMs, quality, errorMs = 0 } = this.deps.wall();
    return quality === 'synced' || quality === 'holdover' ? unixMs - errorMs : undefined;
  }

  #isApart(a: CloudWord, b: CloudWord): boolean {
    return b.issuedUnixMs - a.issuedUnixMs >= this.#dayMs;
  }

  /** Without those that an old one stands for, and those that lie too close to the one before; the newest stays. */
  #spaced(words: readonly CloudWord[]): readonly CloudWord[] {
    const old = words.findLast((word) => this.#isOfAge(word, this.#keptMs));
    const needed = old === undefined ? words : words.slice(words.indexOf(old));
    const newest = needed.at(-1);
    const spaced: CloudWord[] = [];
    for (const word of needed) {
      const last = spaced.at(-1);
      if (last === undefined || word === newest || this.#isApart(last, word)) spaced.push(word);
    }
    return spaced.slice(-CLOUD_WORDS_MAX);
  }
}
