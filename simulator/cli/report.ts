import type { WorldReport } from '../site/index.js';

const VIOLATIONS_SHOWN = 20;

/** A report for people; `command` runs the same world again. */
export function reportText(report: WorldReport, command: string): string {
  const { digest, violations, faultsFired, counts } = report;
  const pairs = (entries: Iterable<readonly [string, number]>) =>
    [...entries].map(([name, count]) => `${name} ${Math.round(count)}`).join(', ');
  const shown = violations.slice(0, VIOLATIONS_SHOWN);
  return [
    `digest      ${digest}`,
    `seen        ${pairs(Object.entries(counts))}`,
    `faults      ${pairs([...faultsFired].sort(([a], [b]) => (a < b ? -1 : 1)))}`,
    violations.length === 0 ? 'violations  none' : `violations  ${violations.length}`,
    ...shown.map(({ checker, atMs, what }) => `  ${checker} (${Math.round(atMs)} ms): ${what}`),
    ...(violations.length > shown.length ? [`  … and ${violations.length - shown.length} more`] : []),
    `again       ${command}`,
    '',
  ].join('\n');
}
