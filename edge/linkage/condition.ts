import type { LinkageCondition, StandingMode } from '@sparc/protocol/policy';
import type { InputSignal } from '../inputs/index.js';

/** The site at one instant, as far as it is known. */
export interface SiteFacts {
  isScheduleOpen(scheduleId: string): boolean;
  doorMode(doorId: string): StandingMode | undefined;
  threatLevel(): number;
  input(inputId: string): InputSignal | undefined;
  /** People in an area; undefined until the ledger was read back. */
  peopleIn(areaId: string): { readonly count: number; readonly max: number | undefined } | undefined;
}

export function holds(condition: LinkageCondition, facts: SiteFacts): boolean {
  if ('schedule' in condition) return facts.isScheduleOpen(condition.schedule) === (condition.is === 'open');
  if ('input' in condition) return facts.input(condition.input) === condition.is;
  if ('threatLevel' in condition) {
    const { from, to = Infinity } = condition.threatLevel;
    const level = facts.threatLevel();
    return from <= level && level <= to;
  }
  if ('area' in condition) return isSo(condition.is, facts.peopleIn(condition.area));
  const mode = facts.doorMode(condition.door);
  return mode !== undefined && condition.mode.includes(mode);
}

function isSo(is: 'empty' | 'occupied' | 'full', people: ReturnType<SiteFacts['peopleIn']>): boolean {
  if (people === undefined) return false;
  switch (is) {
    case 'empty':
      return people.count === 0;
    case 'occupied':
      return people.count > 0;
    case 'full':
      return people.max !== undefined && people.count >= people.max;
  }
}
