import { lockdownDelays, type LockdownDelay } from './lockdown-delays.js';
import { headsOf, type JournalLine, type OfflineHistory } from './offline-history.js';
import type { Promised } from './promises.js';

const VIOLATIONS_SHOWN = 5;
const LABEL_WIDTH = 32;

/** What a scenario came to, for people: counts, and each promise with what broke it. */
export function offlineReport(history: OfflineHistory, promises: readonly Promised[]): string {
  const lines = [...history.journals.values()].flat();
  const called = (name: string) => lines.filter((line) => line.name === name);
  const [granted, denied] = [called('access.granted'), called('access.denied')];
  const broken = promises.filter(({ violations }) => violations.length > 0);
  const cards = history.visits.filter(({ card }) => card !== undefined);
  return [
    '',
    row(
      'people at the doors',
      `${history.visits.length}: ${cards.length} cards, ${history.visits.length - cards.length} exit buttons`,
    ),
    row('decisions', `${granted.length + denied.length}: ${granted.length} granted, ${denied.length} denied`),
    ...counts(denied.map(({ reason = 'without a reason' }) => reason)).map(([reason, count]) =>
      row(`  denied: ${reason}`, String(count)),
    ),
    row('events recorded', `${lines.length}: ${perGateway(history.journals)}`),
    row(
      'directives',
      `${called('directive.given').length} given, applied ${applied(lines)}, refused ${called('directive.refused').length}`,
    ),
    row('locked down', lockdownDelays(history).map(delay).join(', ')),
    row('replicas', replicas(history)),
    '',
    ...promises.flatMap(({ promise, violations }) => [
      row(promise, violations.length === 0 ? 'kept' : `BROKEN, ${violations.length} times`),
      ...violations.slice(0, VIOLATIONS_SHOWN).map(({ what }) => `    ${what}`),
    ]),
    '',
    row('broken promises', String(broken.length)),
  ].join('\n');
}

const NOT_APPLIED = new Set(['directive.given', 'directive.refused']);

const row = (label: string, value: string): string => `${label.padEnd(LABEL_WIDTH)}${value}`;

const perGateway = (journals: OfflineHistory['journals']): string =>
  [...journals].map(([gateway, lines]) => `${gateway} ${lines.length}`).join(', ');

const delay = ({ gateway, delayMs }: LockdownDelay): string =>
  delayMs === undefined ? `${gateway} never` : `${gateway} ${delayMs} ms after it could know`;

/** Records of what a directive did at a gateway. */
function applied(lines: readonly JournalLine[]): string {
  const names = lines.flatMap(({ name, detail }) =>
    detail?.['directive'] === undefined || name === undefined || NOT_APPLIED.has(name) ? [] : [name],
  );
  const texts = counts(names).map(([name, count]) => `${count} × ${name}`);
  return texts.length === 0 ? 'nowhere' : texts.join(', ');
}

function replicas({ replicas: all }: OfflineHistory): string {
  const [logs = []] = [...all.values()];
  const entries = logs.map(({ entriesCount }) => entriesCount);
  const isEqual = new Set([...all.values()].map(headsOf)).size === 1;
  const total = entries.reduce((sum, count) => sum + count, 0);
  return `${logs.length} logs on ${all.size} gateways, ${total} entries on each, ${isEqual ? 'all the same' : 'NOT the same'}`;
}

/** Largest first. */
function counts(words: readonly string[]): (readonly [string, number])[] {
  const found = new Map<string, number>();
  for (const word of words) found.set(word, (found.get(word) ?? 0) + 1);
  return [...found].sort(([, a], [, b]) => b - a);
}
