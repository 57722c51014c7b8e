import { type StandingMode, standsOpen } from '@sparc/protocol/policy';
import { type Act, type HasInput, isFireAt, isLockedDown, type Place, type Raised } from '@sparc/protocol/site-mode';
import type { HeardRaises } from './heard-raises.js';

/** What was ordered for one door. */
export interface DoorOrder extends Act {
  readonly mode: StandingMode;
  /** It ends by itself after this; absent: never. */
  readonly forMs?: number;
  /** By a card at the door; what a person orders outranks it. */
  readonly isToggled?: true;
}

/** What people and fire alarms have ordered. Schedules and credentials come after it. */
export interface SiteMode extends Raised {
  /** By door id. */
  readonly doors: Readonly<Record<string, DoorOrder>>;
  /** By door id: what a rule locked down over. It stands again when that ends. Absent: nothing. */
  readonly overruled?: Readonly<Record<string, DoorOrder>>;
  /** What other gateways raised, whether it stands or not. Absent: nothing. */
  readonly heard?: HeardRaises;
}

export const NORMAL: SiteMode = { raises: [], released: [], doors: {} };

/**
 * What a door does while nobody comes. The order is a rule and no setting (access-control 4.7): fire, then lockdown, then
 * what was ordered for the door, then its schedule. The way out is free in all of them.
 */
export function standingMode(mode: SiteMode, place: Place, isScheduledOpen: boolean, hasInput: HasInput): StandingMode {
  const { door } = place;
  if (door.fireRelease === 'both' && isFireAt(mode, place, hasInput)) return 'lockedOpen';
  if (isLockedDown(mode, place)) return 'lockedDown';
  return mode.doors[door.id]?.mode ?? (isScheduledOpen ? 'unlocked' : 'locked');
}

/** Without the orders for doors that are over; what a rule had locked down over stands again. */
export function withoutOrders(mode: SiteMode, isOver: (order: DoorOrder) => boolean): SiteMode {
  const { overruled, ...rest } = mode;
  const beneath = new Map(Object.entries(overruled ?? {}).filter(([, order]) => !isOver(order)));
  const doors = Object.entries(mode.doors).flatMap(([door, order]): [string, DoorOrder][] => {
    if (!isOver(order)) return [[door, order]];
    const before = beneath.get(door);
    beneath.delete(door);
    return before === undefined ? [] : [[door, before]];
  });
  return {
    ...rest,
    doors: Object.fromEntries(doors),
    ...(beneath.size > 0 && { overruled: Object.fromEntries(beneath) }),
  };
}

/** What comes back after a restart: a lockdown, a fire and what restricts a door do, an unlock does not (4.2, rule 5). */
export function afterRestart(mode: SiteMode): SiteMode {
  const doors = Object.entries(mode.doors).filter(([, { mode: ordered }]) => !standsOpen(ordered));
  return { ...mode, doors: Object.fromEntries(doors) };
}
