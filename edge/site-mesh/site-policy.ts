import { BEACON_KIND, EMPTY_COURSE, learn, POLICY_KIND } from '@sparc/protocol/policy-revision';
import type { Clock, MeshNetwork, PartStore } from '@sparc/protocol/ports';
import type { PolicyLaneView } from '../api/index.js';
import { nodeCrypto } from '../ledger/index.js';
import { nodePartTools } from '../policy-parts/index.js';
import type { AuthorityHandler } from '../replica/index.js';
import { PartExchange } from './part-exchange.js';

/** What the field says of the policy, which alone knows what is in force. */
export type PolicyInForceView = Pick<PolicyLaneView, 'inForce' | 'rejected'>;

export interface SitePolicyDeps {
  readonly clock: Clock;
  readonly network: MeshNetwork;
  readonly store: PartStore;
  readonly siteId: string;
  readonly inForce: () => PolicyInForceView;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** The policy of the site as far as it came here: which revision is the newest, and whether its parts are on the disk. */
export class SitePolicy {
  readonly exchange: PartExchange;
  #course = EMPTY_COURSE;
  #knownSinceUnixMs = 0;

  constructor(private readonly deps: SitePolicyDeps) {
    this.exchange = new PartExchange({ ...deps, crypto: nodeCrypto, tools: nodePartTools });
  }

  /** For what the authority says of its policy. */
  get handlers(): readonly AuthorityHandler[] {
    return [POLICY_KIND, BEACON_KIND].map((kind) => ({
      kind,
      take: (body, wallUnixMs) => this.#take({ kind, body, wallUnixMs }),
    }));
  }

  /** Undefined where there is none. */
  view(): PolicyLaneView | undefined {
    const { inForce, rejected } = this.deps.inForce();
    const [newest] = this.#course.revisions;
    if (newest === undefined && inForce === undefined) return undefined;
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
      ...(rejected && { rejected }),
    };
  }

  #take(entry: Parameters<typeof learn>[1]): void {
    const before = this.#course.revisions;
    this.#course = learn(this.#course, entry);
    const { revisions } = this.#course;
    if (revisions === before) return;
    if (revisions[0] !== before[0]) this.#knownSinceUnixMs = this.deps.clock.wall().unixMs;
    this.exchange.want(revisions.map(({ revision }) => revision));
  }
}
