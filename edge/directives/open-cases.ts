import type { Directive, SignedDirective } from '@sparc/protocol/directive';
import type { EntryId } from '@sparc/protocol/ports';

/** Directives of which one gateway or operator can keep the verdict open; the oldest goes. */
export const OPEN_CASES_MAX = 64;

/** A directive and the entry that carries it. */
export interface Given {
  readonly signed: SignedDirective;
  readonly directive: Directive;
  /** Of that entry, by the clock that orders all of them. */
  readonly carriedUnixMs: number;
  readonly cause: Promise<EntryId | undefined>;
}

/** What another word of the authority may change the verdict on. Whoever carries many loses its own ones only. */
export class OpenCases {
  /** By whoever is answerable for them. */
  readonly #groups = new Map<string, readonly Given[]>();

  /** Of one directive the entry counts that carried it first. */
  open(group: string, given: Given): void {
    const all = this.#groups.get(group) ?? [];
    const same = all.find(({ directive }) => directive.id === given.directive.id);
    if (same !== undefined && same.carriedUnixMs <= given.carriedUnixMs) return;
    const others = all.filter((each) => each !== same);
    this.#groups.set(group, [...others, given].slice(-OPEN_CASES_MAX));
  }

  close(given: Given): void {
    for (const [group, all] of this.#groups) {
      const left = all.filter((each) => each !== given);
      if (left.length === 0) this.#groups.delete(group);
      else this.#groups.set(group, left);
    }
  }

  of(operators: ReadonlySet<string>): readonly Given[] {
    return [...this.#groups.values()].flat().filter(({ signed }) => operators.has(signed.operator));
  }
}
