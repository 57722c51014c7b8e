import { COMMON_DETAIL, EVENTS, FIELDS, type EventDescription, type EventRecord } from '@sparc/protocol/events';

/** Where a record is not what the catalogue says of its event: a field or detail that is missing, or that is not described. */
export function eventFaults(record: EventRecord): string[] {
  const { fields = [], detail = {} }: EventDescription = EVENTS[record.name];
  const present = Object.keys(FIELDS).filter((field) => field in record);
  return [
    ...misfits(present, ['causeId?', ...fields]),
    ...misfits(Object.keys(record.detail ?? {}), [...Object.keys(COMMON_DETAIL), ...Object.keys(detail)]).map(
      (fault) => `detail.${fault}`,
    ),
  ].map((fault) => `${record.name}: ${fault}`);
}

function misfits(present: readonly string[], marks: readonly string[]): string[] {
  const missing = marks.filter((mark) => !mark.endsWith('?') && !present.includes(mark));
  const strange = present.filter((name) => !marks.includes(name) && !marks.includes(`${name}?`));
  return [...missing.map((name) => `${name} is missing`), ...strange.map((name) => `${name} is not in the catalogue`)];
}
