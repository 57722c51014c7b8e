import type { Directive, SignedDirective } from '@sparc/protocol/directive';
import type { EntryId } from '@sparc/protocol/ports';

/** Directives that one gateway carries and the verdict on which is kept open; the oldest goes. */
export const OPEN_CASES_MAX = 64;

/** A directive and the entry that carries it. */
export interface Given {
  readonly signed: SignedDirective;
  readonly directive: Directive;
  /** Whose ledger it is in. */
  readonly carrier: string;
  /** Of that entry, by the clock that orders all of them. */
  readonly carriedUnixMs: number;
  readonly cause: Promise<EntryId | undefined>;
}

/** What another word of the authority may change the verdict on. A gateway that carries many loses its own ones only. */
export class OpenCases {
  /** By carrier. */
  readonly #carried = new Map<string, readonly Given[]>();

  open(given: Given): void {
    const all = this.#carried.get(given.carrier) ?? [];
    if (all.some((each) => isSame(each, given))) return;
    this.#carried.set(given.carrier, [...all, given].slice(-OPEN_CASES_MAX));
  }

  close(given: Given): void {
    const all = this.#carried.get(given.carrier) ?? [];
    this.#carried.set(
      given.carrier,
      all.filter((each) => !isSame(each, given)),
    );
  }

  of(operators: ReadonlySet<string>): readonly Given[] {
    return [...this.#carried.values()].flat().filter(({ signed }) => operators.has(signed.operator));
  }
}

const isSame = (a: Given, b: Given): boolean =>
  a.directive.id === b.directive.id && a.carriedUnixMs === b.carriedUnixMs;
