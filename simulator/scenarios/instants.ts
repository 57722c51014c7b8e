/** The items of an ordered list whose time lies from one instant to another, both included. */
export function between<T>(
  items: readonly T[],
  timeOf: (item: T) => number,
  fromMs: number,
  toMs: number,
): readonly T[] {
  const firstAt = (isBeyond: (atMs: number) => boolean) => {
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const item = items[middle];
      if (item !== undefined && isBeyond(timeOf(item))) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  return items.slice(
    firstAt((atMs) => atMs >= fromMs),
    firstAt((atMs) => atMs > toMs),
  );
}

/** When something happened to whom, told in order of time. */
export class Instants {
  readonly #bySubject = new Map<string, number[]>();

  add(subject: string, atMs: number): void {
    const instants = this.#bySubject.get(subject);
    if (instants === undefined) this.#bySubject.set(subject, [atMs]);
    else instants.push(atMs);
  }

  isWithin(subject: string, fromMs: number, toMs: number): boolean {
    return between(this.#bySubject.get(subject) ?? [], (atMs) => atMs, fromMs, toMs).length > 0;
  }

  all(): { readonly subject: string; readonly atMs: number }[] {
    return [...this.#bySubject].flatMap(([subject, instants]) => instants.map((atMs) => ({ subject, atMs })));
  }
}
