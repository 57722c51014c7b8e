import type { EventRecord } from '@sparc/protocol/events';
import { raiseIdOf, type RuleRaise } from '../site-mode/index.js';

/** Something that every gateway records by itself: a rule that waits for it runs at each of them. */
export interface Occasion {
  /** The same at all of them. */
  readonly id: string;
  /** Anybody can say before what its id will be. */
  readonly isForeseeable: boolean;
}

/**
 * A boundary of a schedule, or what was raised, released or directed for the site. An evacuation without a key stays where
 * it was called. Undefined for what one gateway alone records.
 */
export function occasionOf({ name, detail = {}, doorId }: EventRecord): Occasion | undefined {
  const { schedule, at, because, raise, raises, directive, alone } = detail;
  if (name === 'schedule.active' || name === 'schedule.inactive') {
    return because === 'boundary' ? { id: `${name} ${schedule} ${at}`, isForeseeable: true } : undefined;
  }
  if (name === 'fire.evacuation' && directive === undefined) return undefined;
  const id = directive ?? raise ?? raises;
  return id === undefined || alone !== undefined || doorId !== undefined ? undefined : { id, isForeseeable: false };
}

/** What a rule raises on an occasion has the same id at every gateway. `what`: of all that it raises. */
export const sharedRaise = (rule: string, { id, isForeseeable }: Occasion, what: string): RuleRaise['shared'] => ({
  id: raiseIdOf('sparc rule raise 1', rule, id, what),
  isForeseeable,
});
