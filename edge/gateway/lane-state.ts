import type { SiteSnapshot } from '../api/index.js';
import type { Manifest } from '../policy/index.js';
import type { LaneRejection } from '../policy-lane/index.js';

/** How far the policy is that the authority of the site signs: what came into force, and what was refused since. */
export class LaneState {
  #inForce: Manifest['issued'];
  #rejection: LaneRejection | undefined;

  /** Undefined: what is in force is not of the authority, or nothing is. */
  loaded(issued: Manifest['issued']): void {
    this.#inForce = issued;
    const { number = 0 } = this.#rejection ?? {};
    // Whatever the lane could not read before, it brought this one.
    if (issued !== undefined && number <= issued.number) this.#rejection = undefined;
  }

  /** One of an older revision is none while a newer one stands. */
  rejected(rejection: LaneRejection): void {
    const { number } = rejection;
    const newest = this.#rejection?.number ?? this.#inForce?.number ?? 0;
    if (number === undefined || number >= newest) this.#rejection = rejection;
  }

  view(): SiteSnapshot['policyLane'] {
    const [inForce, rejection] = [this.#inForce, this.#rejection];
    const { number, code } = rejection ?? {};
    return {
      ...(inForce && { inForce }),
      ...(code !== undefined && { rejected: { ...(number !== undefined && { number }), code } }),
    };
  }
}
