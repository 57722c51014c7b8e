import { openAcknowledgement, type StoredHead } from '@sparc/protocol/cloud-link';
import type { SignedHead } from '@sparc/protocol/ledger';
import type { VerifySignature, WallTime } from '@sparc/protocol/ports';
import { reaches } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';

/** Entries that the cloud has are kept beside it for so long: one that was restored from a backup collects again what it lost. */
export const KEPT_MS = 604_800_000;
/** One that is old enough, the newest, and about one for each day between. */
export const CLOUD_WORDS_MAX = 10;
/** Words that are kept lie so much of KEPT_MS apart. */
const APART = 1 / 7;

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

/** What the cloud said to hold, whoever brought it: by what it said long enough ago old epochs are emptied. */
export class CloudWords {
  /** The earliest first; all but the newest of them are kept over a start. */
  #words: readonly CloudWord[] = [];
  readonly #keptMs: number;

  constructor(private readonly deps: CloudWordsDeps) {
    this.#keptMs = deps.keptMs ?? KEPT_MS;
  }

  /**
   * Passes over what is not of all logs, or says nothing new. True where there is another one to be kept on the disk. Throws
   * ERR_LINK_ACKNOWLEDGEMENT_INVALID.
   */
  take(signed: Uint8Array): boolean {
    const word = this.#open(signed);
    const newest = this.newest;
    if (word === undefined || word.issuedUnixMs === newest?.issuedUnixMs) return false;
    const isNewest = newest === undefined || word.issuedUnixMs > newest.issuedUnixMs;
    if (!isNewest && !this.#isNewlyOld(word)) return false;
    const before = this.kept;
    this.#words = this.#spaced([...this.#words, word].sort((a, b) => a.issuedUnixMs - b.issuedUnixMs));
    return this.kept.length !== before.length || this.kept.some((each, at) => each !== before[at]);
  }

  /** The newest that is so old that what it names may be emptied. Undefined while nobody knows the time. */
  get old(): CloudWord | undefined {
    return this.#words.findLast((word) => this.#isOld(word));
  }

  get newest(): CloudWord | undefined {
    return this.#words.at(-1);
  }

  /** Those that are needed later, for the disk. */
  get kept(): readonly CloudWord[] {
    const [before, newest] = this.#words.slice(-2);
    return before === undefined || newest === undefined || this.#isApart(before, newest)
      ? this.#words
      : this.#words.slice(0, -1);
  }

  /** Whether the cloud said long enough ago that it had all up to a head. */
  covers(head: SignedHead): boolean {
    const heads = this.old?.heads.get(toHex(head.author)) ?? [];
    return reaches(heads, head);
  }

  /** Whether somebody else may have a word that covers a head: not while nobody knows the time. */
  isSought(head: SignedHead): boolean {
    return this.#knownUnixMs !== undefined && !this.covers(head);
  }

  #open(signed: Uint8Array): CloudWord | undefined {
    const { verify, cloudKey, siteId } = this.deps;
    const { complete, issuedUnixMs, heads } = openAcknowledgement(verify, cloudKey, siteId, signed);
    if (!complete) return undefined;
    const byAuthor = new Map<string, StoredHead[]>();
    for (const head of heads) {
      const author = toHex(head.author);
      byAuthor.set(author, [...(byAuthor.get(author) ?? []), head]);
    }
    return { signed, issuedUnixMs, heads: byAuthor };
  }

  #isNewlyOld(word: CloudWord): boolean {
    return this.#isOld(word) && word.issuedUnixMs > (this.old?.issuedUnixMs ?? -Infinity);
  }

  #isOld({ issuedUnixMs }: CloudWord): boolean {
    const nowUnixMs = this.#knownUnixMs;
    return nowUnixMs !== undefined && nowUnixMs - issuedUnixMs >= this.#keptMs;
  }

  /** The earliest that it can be now. */
  get #knownUnixMs(): number | undefined {
    const { unixMs, quality, errorMs = 0 } = this.deps.wall();
    return quality === 'synced' || quality === 'holdover' ? unixMs - errorMs : undefined;
  }

  #isApart(a: CloudWord, b: CloudWord): boolean {
    return b.issuedUnixMs - a.issuedUnixMs >= this.#keptMs * APART;
  }

  /** Without those that an old one stands for, and those that lie too close to the one before; the newest stays. */
  #spaced(words: readonly CloudWord[]): readonly CloudWord[] {
    const old = words.findLast((word) => this.#isOld(word));
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
