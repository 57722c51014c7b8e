import {
  BEACON_KIND,
  EMPTY_COURSE,
  isFinalRejection,
  isNewerRevision,
  learn,
  POLICY_KIND,
  type IssuedRevision,
} from '@sparc/protocol/policy-revision';
import type { Clock, MeshNetwork, PartStore } from '@sparc/protocol/ports';
import type { PolicyLaneView } from '../api/index.js';
import { nodeCrypto } from '../ledger/index.js';
import { nodePartTools } from '../policy-parts/index.js';
import type { AuthorityHandler } from '../replica/index.js';
import { PartExchange } from './part-exchange.js';
import type { WantedRevision } from './wanted-parts.js';

/** What the field says of the policy, which alone knows what is in force. */
export type PolicyInForceView = Pick<PolicyLaneView, 'inForce' | 'rejected'>;

export interface SitePolicyDeps {
  readonly clock: Clock;
  readonly network: MeshNetwork;
  readonly store: PartStore;
  readonly siteId: string;
  /** Of the disk that the parts are on. */
  readonly freeBytes: () => number;
  readonly inForce: () => PolicyInForceView;
  /** As `PartExchangeDeps.onHere`. */
  readonly onHere: () => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** The policy of the site as far as it came here: which revision is the newest, and whether its parts are on the disk. */
export class SitePolicy {
  readonly exchange: PartExchange;
  #course = EMPTY_COURSE;
  #knownSinceUnixMs = 0;
  #wanted: readonly WantedRevision[] = [];
  /** Of which revision the field said that parts are damaged; they were looked through. */
  #damagedIn: string | undefined;

  constructor(private readonly deps: SitePolicyDeps) {
    this.exchange = new PartExchange({ ...deps, crypto: nodeCrypto, tools: nodePartTools });
  }

  /** For what the authority says of its policy. */
  get handlers(): readonly AuthorityHandler[] {
    return [POLICY_KIND, BEACON_KIND].map((kind) => ({ kind, take: (entry) => this.#take(entry) }));
  }

  /** Undefined where there is none. */
  view(): PolicyLaneView | undefined {
    const { inForce, rejected } = this.deps.inForce();
    const [newest] = this.#course.revisions;
    if (newest === undefined && inForce === undefined && rejected === undefined) return undefined;
    return {
      ...(inForce && { inForce }),
      ...(newest && {
        newest: {
          number: newest.revision.number,
          issuedUnixMs: newest.issuedUnixMs,
          knownSinceUnixMs: this.#knownSinceUnixMs,
        },
      }),
      partsMissingCount: this.exchange.missingCount,
      ...this.#rejection(newest?.revision.number),
    };
  }

  /** The field may have said something new. */
  look(): void {
    this.#want();
    const { rejected } = this.deps.inForce();
    const damagedIn = rejected?.code === 'ERR_POLICY_PART_ABSENT' ? String(rejected.number) : undefined;
    if (damagedIn !== undefined && damagedIn !== this.#damagedIn) this.exchange.check();
    this.#damagedIn = damagedIn;
  }

  #rejection(number: number | undefined): Pick<PolicyLaneView, 'rejected'> {
    const { rejected } = this.deps.inForce();
    if (number !== undefined && this.exchange.isWithoutRoom)
      return { rejected: { number, code: 'ERR_POLICY_DISK_RESERVE' } };
    return rejected === undefined ? {} : { rejected };
  }

  #take(entry: Parameters<typeof learn>[1]): void {
    const before = this.#course.revisions;
    this.#course = learn(this.#course, entry);
    const { revisions } = this.#course;
    if (revisions === before) return;
    if (revisions[0] !== before[0]) this.#knownSinceUnixMs = this.deps.clock.wall().unixMs;
    this.#want();
  }

  #want(): void {
    const wanted = this.#course.revisions.map((issued, index) => this.#wantedOf(issued, index === 0));
    const isAsBefore = ({ revision, use }: WantedRevision, index: number) =>
      revision === this.#wanted[index]?.revision && use === this.#wanted[index]?.use;
    if (wanted.length === this.#wanted.length && wanted.every(isAsBefore)) return;
    this.#wanted = wanted;
    this.exchange.want(wanted);
  }

  /** One before the newest is of use as long as it would follow on what is in force. */
  #wantedOf({ revision, issuedUnixMs }: IssuedRevision, isNewest: boolean): WantedRevision {
    const { inForce, rejected } = this.deps.inForce();
    const { number } = revision;
    const isNews = inForce === undefined || isNewerRevision({ number, issuedUnixMs }, inForce);
    if (!isNews) return { revision, use: isNewest ? 'fetch' : 'keep' };
    const isRejected = rejected?.number === number && isFinalRejection(rejected.code);
    return { revision, use: isRejected ? 'rejected' : 'fetch' };
  }
}
