import type { EventName, EventRecord, Severity } from '../events/index.js';
import type { LinkageTrigger } from './linkage-rule.js';

/** What `where` calls the fields of a record; any other name is one of its `detail`. */
export const WHERE_FIELDS = {
  door: 'doorId',
  accessPoint: 'accessPointId',
  device: 'deviceId',
  bus: 'busId',
  holder: 'holderId',
  credential: 'credentialId',
  reason: 'reason',
  code: 'code',
} as const satisfies Record<string, keyof EventRecord>;

/** What a trigger waits for: a boundary of a schedule is an event like any other. */
export type Watched =
  | { readonly kind: 'event'; readonly name: string; readonly where: Where }
  | { readonly kind: 'severity'; readonly severity: Severity; readonly where: Where }
  | {
      readonly kind: 'input';
      readonly input: string;
      readonly becomes: Extract<LinkageTrigger, { readonly input: string }>['becomes'];
    };
type Where = Readonly<Record<string, string>>;

export function watched(trigger: LinkageTrigger): Watched {
  if ('event' in trigger) return { kind: 'event', name: trigger.event, where: trigger.where ?? {} };
  if ('severity' in trigger) return { kind: 'severity', severity: trigger.severity, where: trigger.where ?? {} };
  if ('input' in trigger) return { kind: 'input', ...trigger };
  const name: EventName = trigger.becomes === 'open' ? 'schedule.active' : 'schedule.inactive';
  return { kind: 'event', name, where: { schedule: trigger.schedule, because: 'boundary' } };
}

/** Whether a record has everything that `where` names. */
export const isMatch = (where: Where, record: EventRecord): boolean =>
  Object.entries(where).every(([name, value]) => valueOf(record, name) === value);

const valueOf = (record: EventRecord, name: string): string | undefined =>
  Object.hasOwn(WHERE_FIELDS, name) ? record[WHERE_FIELDS[name as keyof typeof WHERE_FIELDS]] : record.detail?.[name];
