import type { Violations } from '../violation.js';

/** A fault that never fired proves nothing: each must have, over all the seeds of a run. */
export function checkFaultsFired(
  expected: readonly string[],
  fired: ReadonlyMap<string, number>,
  violations: Violations,
): void {
  for (const fault of expected) {
    if ((fired.get(fault) ?? 0) === 0) violations.add('faults-fired', `${fault} never fired`);
  }
}
