/** One thing that a run shows and that must never be. */
export interface Violation {
  readonly checker: string;
  readonly atMs: number;
  readonly what: string;
}

/** Collects what the checkers of a run object to. */
export class Violations {
  readonly found: Violation[] = [];

  constructor(private readonly nowMs: () => number) {}

  add(checker: string, what: string): void {
    this.found.push({ checker, atMs: this.nowMs(), what });
  }
}
