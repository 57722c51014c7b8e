import { openAcknowledgement, type StoredHead } from '@sparc/protocol/cloud-link';
import type { SignedHead } from '@sparc/protocol/ledger';
import type { Clock, VerifySignature } from '@sparc/protocol/ports';
import { reaches } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';

/** Entries that the cloud has are kept beside it for so long: one that was restored from a backup collects again what it lost. */
export const KEPT_MS = 604_800_000;

export interface CloudWordDeps {
  readonly clock: Pick<Clock, 'wall'>;
  readonly verify: VerifySignature;
  readonly siteId: string;
  /** The key by which the cloud signs for the site. */
  readonly cloudKey: Uint8Array;
  /** KEPT_MS, but where time runs faster. */
  readonly keptMs: number;
}

/** What the cloud said last to hold of all logs of the site, whoever brought it: by that gateways empty old epochs. */
export class CloudWord {
  #newest: { readonly signed: Uint8Array; readonly issuedUnixMs: number } | undefined;
  /** By author, in hex. */
  #heads: ReadonlyMap<string, readonly StoredHead[]> = new Map();

  constructor(private readonly deps: CloudWordDeps) {}

  /** As the cloud signed it. */
  get signed(): Uint8Array | undefined {
    return this.#newest?.signed;
  }

  /** Older than that it may be asked for anew. */
  get issuedUnixMs(): number {
    return this.#newest?.issuedUnixMs ?? -Infinity;
  }

  /** Passes over what is not of all logs, or not newer. Throws ERR_LINK_ACKNOWLEDGEMENT_INVALID. */
  take(signed: Uint8Array): void {
    const { verify, cloudKey, siteId } = this.deps;
    const { complete, issuedUnixMs, heads } = openAcknowledgement(verify, cloudKey, siteId, signed);
    if (!complete || issuedUnixMs <= this.issuedUnixMs) return;
    this.#newest = { signed, issuedUnixMs };
    const byAuthor = new Map<string, StoredHead[]>();
    for (const head of heads) {
      const author = toHex(head.author);
      byAuthor.set(author, [...(byAuthor.get(author) ?? []), head]);
    }
    this.#heads = byAuthor;
  }

  /** Of one author, in hex. */
  headsOf(author: string): readonly StoredHead[] {
    return this.#heads.get(author) ?? [];
  }

  /** Whether the cloud has all up to a head, as far as its word alone tells. */
  reaches(head: SignedHead): boolean {
    return reaches(this.headsOf(toHex(head.author)), head);
  }

  /** Whether an epoch that was opened then is so long ago that those before it may be empty. Not where nobody knows the time. */
  isOld(openedUnixMs: number): boolean {
    const { unixMs, quality } = this.deps.clock.wall();
    return quality !== 'unsynced' && unixMs - openedUnixMs >= this.deps.keptMs;
  }
}
