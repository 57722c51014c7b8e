/** Work that can be left after each piece, for what waits for its turn. */
export type InPieces<T> = Generator<undefined, T, undefined>;

export function atOnce<T>(work: InPieces<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
