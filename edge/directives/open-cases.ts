import type { Directive, SignedDirective } from '@sparc/protocol/directive';
import type { EntryId } from '@sparc/protocol/ports';

/** Directives that one gateway carries and that are kept open; of whoever gave the most of them the oldest goes. */
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

/**
 * What another word of the authority may change the verdict on, and what waits for one to be carried out. A gateway that
 * carries many loses its own ones only, and an operator who gives many theirs.
 */
export class OpenCases {
  /** By carrier. */
  readonly #carried = new Map<string, readonly Given[]>();

  open(given: Given): void {
    const all = this.#carried.get(given.carrier) ?? [];
    if (all.some((each) => isSame(each, given))) return;
    this.#carried.set(
      given.carrier,
      bounded([...all, given], OPEN_CASES_MAX, ({ signed }) => signed.operator),
    );
  }

  close(given: Given): void {
    const all = this.#carried.get(given.carrier) ?? [];
    this.#carried.set(
      given.carrier,
      all.filter((each) => !isSame(each, given)),
    );
  }

  get all(): readonly Given[] {
    return [...this.#carried.values()].flat();
  }

  of(operators: ReadonlySet<string>): readonly Given[] {
    return this.all.filter(({ signed }) => operators.has(signed.operator));
  }
}

/** Where there is one too many, without the oldest of whoever has the most. */
export function bounded<T>(all: readonly T[], countMax: number, ownerOf: (each: T) => string): readonly T[] {
  if (all.length <= countMax) return all;
  const counts = new Map<string, number>();
  for (const each of all) counts.set(ownerOf(each), (counts.get(ownerOf(each)) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const first = all.findIndex((each) => counts.get(ownerOf(each)) === most);
  return all.toSpliced(first, 1);
}

const isSame = (a: Given, b: Given): boolean =>
  a.directive.id === b.directive.id && a.carriedUnixMs === b.carriedUnixMs;
