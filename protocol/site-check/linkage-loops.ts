import { EVENTS, type EventRecord } from '../events/index.js';
import { isMatch, standsOpen, watched, type LinkageAction, type LinkageRule } from '../policy/index.js';

/** Rules that set each other off whatever the site is like: none of them has a condition. Empty when there are none. */
export function loopOf(rules: readonly LinkageRule[]): readonly LinkageRule[] {
  const free = rules.filter((rule) => rule.if === undefined);
  const next = new Map(free.map((rule) => [rule, free.filter((other) => setsOff(rule, other))]));
  const done = new Set<LinkageRule>();
  for (const rule of free) {
    const loop = search(rule, next, [], done);
    if (loop.length > 0) return loop;
  }
  return [];
}

/** Depth first; a rule whose whole way on was seen is in no loop that was not found before. */
function search(
  rule: LinkageRule,
  next: ReadonlyMap<LinkageRule, readonly LinkageRule[]>,
  path: readonly LinkageRule[],
  done: Set<LinkageRule>,
): readonly LinkageRule[] {
  if (path.includes(rule)) return path.slice(path.indexOf(rule));
  if (done.has(rule)) return [];
  for (const other of next.get(rule) ?? []) {
    const loop = search(other, next, [...path, rule], done);
    if (loop.length > 0) return loop;
  }
  done.add(rule);
  return [];
}

function setsOff(rule: LinkageRule, other: LinkageRule): boolean {
  const ran: EventRecord = { name: 'linkage.ran', detail: { rule: rule.id } };
  // What a rule ordered already it does not order again, unless that ends by itself.
  const acts = rule.then.filter((action) => rule !== other || !('mode' in action) || action.forMs !== undefined);
  const records = [ran, ...acts.flatMap((action) => recordsOf(rule.id, action))];
  return other.when.map(watched).some((watch) => {
    switch (watch.kind) {
      case 'event':
        return records.some((record) => record.name === watch.name && mayMatch(watch.where, record));
      case 'severity':
        return records.some(
          (record) => EVENTS[record.name].severity === watch.severity && mayMatch(watch.where, record),
        );
      case 'input':
        return false;
    }
  });
}

/** What of a record is known beforehand decides; the rest may be as `where` wants it. */
const mayMatch = (where: Readonly<Record<string, string>>, record: EventRecord): boolean =>
  Object.entries(where).every(([name, value]) => {
    const present = { [name]: value };
    return isMatch(present, record) || !isSaid(name, record);
  });

const isSaid = (name: string, { doorId, detail }: EventRecord): boolean =>
  name === 'door' ? doorId !== undefined : detail?.[name] !== undefined;

/** What an action brings about each time that it is carried out. */
function recordsOf(rule: string, action: LinkageAction): EventRecord[] {
  if ('message' in action) return [{ name: 'linkage.message', detail: { rule, text: action.message } }];
  if ('alarm' in action) return [{ name: 'linkage.alarm', detail: { rule, text: action.alarm } }];
  if ('snapshot' in action) return [{ name: 'snapshot.requested', detail: { rule, camera: action.snapshot } }];
  if ('raise' in action || 'raiseThreatLevel' in action) return [];
  if ('output' in action) {
    const to = 'pulseMs' in action ? 'pulse' : action.turn;
    return [{ name: 'output.switched', detail: { rule, output: action.output, to } }];
  }
  const { door: doorId } = action;
  const by = `rule:${rule}`;
  if ('access' in action) return [{ name: 'operator.release', doorId, detail: { by } }];
  const { mode } = action;
  const ordered = { name: 'door.ordered', doorId, detail: { by, mode } } as const;
  if (mode === 'scheduled') return [ordered];
  return [ordered, { name: standsOpen(mode) ? 'door.unlocked' : 'door.locked', doorId }];
}
