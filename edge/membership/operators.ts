import type { Delegation } from '@sparc/protocol/roster';

/** Whom the authority of the site gave rights to: of each the one that was issued last, whatever place in the log it has. */
export class Operators {
  readonly #delegations = new Map<string, Delegation>();

  take(delegation: Delegation): void {
    const before = this.#delegations.get(delegation.operator);
    if (before !== undefined && before.issuedUnixMs > delegation.issuedUnixMs) return;
    this.#delegations.set(delegation.operator, delegation);
  }

  /** What was said last of a key; without rights where it was withdrawn. */
  of(key: string): Delegation | undefined {
    return this.#delegations.get(key);
  }

  /** Those that were not withdrawn; one that has expired is among them. */
  all(): readonly Delegation[] {
    return [...this.#delegations.values()].filter(({ rights }) => rights.length > 0);
  }
}
