import type { Delegation } from '@sparc/protocol/roster';

/** Whom the authority of the site gave rights to, by what it said last of each. */
export class Operators {
  readonly #delegations = new Map<string, Delegation>();

  take(delegation: Delegation): void {
    const before = this.#delegations.get(delegation.operator);
    if (before !== undefined && before.issuedUnixMs > delegation.issuedUnixMs) return;
    this.#delegations.set(delegation.operator, delegation);
  }

  /** Those that were not withdrawn; one that has expired is among them. */
  all(): readonly Delegation[] {
    return [...this.#delegations.values()].filter(({ rights }) => rights.length > 0);
  }
}
