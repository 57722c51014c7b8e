import { nearestName, type JsonPath } from '../document/index.js';
import { EVENTS, isEventName, REASONS, type EventDescription, type Severity } from '../events/index.js';
import {
  ALWAYS_SCHEDULE_ID,
  isTracked,
  standsOpen,
  WHERE_FIELDS,
  type Door,
  type LinkageAction,
  type LinkageCondition,
  type LinkageRule,
  type LinkageTrigger,
} from '../policy/index.js';
import { loopOf } from './linkage-loops.js';
import type { ListName, SiteCheck } from './site-check.js';

/** What the fields of `where` name, where they name something of the site file. */
const WHERE_LISTS: Readonly<Record<string, ListName>> = {
  door: 'doors',
  accessPoint: 'accessPoints',
  device: 'devices',
  holder: 'credentialHolders',
  credential: 'credentials',
  input: 'inputs',
  output: 'outputs',
  schedule: 'schedules',
  area: 'areas',
  rule: 'linkageRules',
};

/** Rules name what there is, can run, and do not set each other off without end. */
export function checkLinkage(check: SiteCheck): void {
  const usedByDoors = new Map(
    [...check.entries('doors')].flatMap(([, door]) => outputsOf(door).map((output) => [output, door.id] as const)),
  );
  const rules = [...check.entries('linkageRules')];
  for (const [index, rule] of rules) {
    const path = ['linkageRules', index];
    for (const [at, trigger] of rule.when.entries()) checkTrigger(check, trigger, [...path, 'when', at]);
    for (const [at, condition] of (rule.if ?? []).entries()) checkCondition(check, condition, [...path, 'if', at]);
    for (const [at, action] of rule.then.entries()) {
      checkAction(check, action, [...path, 'then', at], usedByDoors);
      if ('door' in action) checkFireAction(check, rule, action, [...path, 'then', at, 'door']);
    }
  }
  const loop = loopOf(rules.map(([, rule]) => rule));
  const [first] = loop;
  const index = rules.find(([, rule]) => rule === first)?.[0];
  if (first === undefined || index === undefined) return;
  const names = loop.map(({ id }) => `\`${id}\``);
  const how = loop.length === 1 ? 'sets itself off' : `sets itself off by way of ${names.slice(1).join(', ')}`;
  check.refuse(['linkageRules', index, 'when'], `${how}, without end: name what it is to wait for, or a condition`);
}

function checkTrigger(check: SiteCheck, trigger: LinkageTrigger, path: JsonPath): void {
  if ('input' in trigger) return check.refer('inputs', trigger.input, [...path, 'input']);
  if ('schedule' in trigger) {
    check.refer('schedules', trigger.schedule, [...path, 'schedule']);
    if (trigger.schedule === ALWAYS_SCHEDULE_ID)
      check.refuse([...path, 'schedule'], 'has no boundary: it is always open');
    return;
  }
  const names = 'event' in trigger ? [trigger.event] : namesOf(trigger.severity);
  if ('event' in trigger && !isEventName(trigger.event)) {
    const suggestion = nearestName(trigger.event, Object.keys(EVENTS));
    check.refuse([...path, 'event'], `names \`${trigger.event}\`, which is no event`, { suggestion });
    return;
  }
  for (const [field, value] of Object.entries(trigger.where ?? {})) {
    const at = [...path, 'where', field];
    const known = new Set(names.flatMap(fieldsOf));
    if (!known.has(field)) {
      check.refuse(at, 'is nothing that such an event says', { at: 'key', suggestion: nearestName(field, known) });
    }
    const list = WHERE_LISTS[field];
    if (list !== undefined) check.refer(list, value, at);
    if (field === 'reason' && !REASONS.some((reason) => reason === value)) {
      check.refuse(at, `is \`${value}\`, which is no reason`, { suggestion: nearestName(value, REASONS) });
    }
  }
}

const namesOf = (severity: Severity): string[] =>
  Object.entries(EVENTS).flatMap(([name, event]) => (event.severity === severity ? name : []));

/** The names by which `where` knows what an event says. */
function fieldsOf(name: string): string[] {
  const { fields = [], detail = {} }: EventDescription = EVENTS[name as keyof typeof EVENTS];
  const said = new Set<string>([...fields, ...Object.keys(detail)].map((mark) => mark.replace('?', '')));
  const short = Object.entries(WHERE_FIELDS).flatMap(([field, long]) => (said.has(long) ? field : []));
  return [...short, ...Object.keys(detail).map((mark) => mark.replace('?', ''))];
}

function checkCondition(check: SiteCheck, condition: LinkageCondition, path: JsonPath): void {
  if ('schedule' in condition) return check.refer('schedules', condition.schedule, [...path, 'schedule']);
  if ('door' in condition) return check.refer('doors', condition.door, [...path, 'door']);
  if ('input' in condition) return check.refer('inputs', condition.input, [...path, 'input']);
  if ('threatLevel' in condition) {
    const { from, to = from } = condition.threatLevel;
    if (to < from) check.refuse([...path, 'threatLevel', 'to'], 'is less than from');
    return;
  }
  check.refer('areas', condition.area, [...path, 'area']);
  const area = check.find('areas', condition.area);
  if (area !== undefined && !isTracked(area)) {
    check.refuse([...path, 'area'], `names \`${area.id}\`, where nobody counts: give it antiPassback or occupancyMax`);
  } else if (area !== undefined && condition.is === 'full' && area.occupancyMax === undefined) {
    check.refuse([...path, 'is'], `needs an occupancyMax of \`${area.id}\``);
  }
}

function checkAction(
  check: SiteCheck,
  action: LinkageAction,
  path: JsonPath,
  usedByDoors: ReadonlyMap<string, string>,
): void {
  if ('door' in action) check.refer('doors', action.door, [...path, 'door']);
  if ('mode' in action && action.mode === 'scheduled' && action.forMs !== undefined) {
    check.refuse([...path, 'forMs'], 'is of no use with scheduled, which lasts by itself', { at: 'key' });
  }
  if (!('output' in action)) return;
  check.refer('outputs', action.output, [...path, 'output']);
  const door = usedByDoors.get(action.output);
  if (door !== undefined) {
    check.refuse([...path, 'output'], `is an output of door \`${door}\`: order something for the door instead`);
  }
}

/** Software opens nothing on fire that hardware does not open by itself (access-control 4.7). */
function checkFireAction(
  check: SiteCheck,
  { when }: LinkageRule,
  action: Extract<LinkageAction, { door: string }>,
  path: JsonPath,
): void {
  const lock = check.find('doors', action.door)?.lock;
  const opens = 'access' in action || (action.mode !== 'scheduled' && standsOpen(action.mode));
  const isOnFire = when.some(
    (trigger) =>
      ('event' in trigger && /^fire\./.test(trigger.event)) ||
      ('input' in trigger && check.find('inputs', trigger.input)?.purpose === 'fireAlarm'),
  );
  if (lock?.type !== 'failSafe' || lock.fireHardwareBreak === true || !opens || !isOnFire) return;
  check.refuse(
    path,
    'is held by power, and a rule would be its only release on fire: have the alarm break its power by itself, and put that on record with lock.fireHardwareBreak: true',
  );
}

const outputsOf = ({ lock, shunt, doubleLock }: Door): string[] =>
  [lock, shunt, doubleLock].flatMap((use) => use?.output ?? []);
