import type { LinkageAction } from '@sparc/protocol/policy';
import { isOpening, ruleOf, type Order, type RuleRaise, type SiteMode } from '../site-mode/index.js';

type DoorOrder = Extract<Order, { kind: 'door' | 'releaseDoor' }>;

export type OrderAction = Extract<
  LinkageAction,
  { access: unknown } | { mode: unknown } | { raise: unknown } | { raiseThreatLevel: unknown }
>;

/** What a rule may order now. `stands`: it is so already. */
export type RuleOrder =
  | { readonly kind: 'order'; readonly order: Order | RuleRaise }
  | { readonly kind: 'stands' }
  | { readonly kind: 'refused'; readonly why: string };

const order = (given: Order | RuleRaise): RuleOrder => ({ kind: 'order', order: given });
const refused = (why: string): RuleOrder => ({ kind: 'refused', why });

/**
 * A rule opens nothing in a lockdown, not even for its end; it raises and never lowers; and what a person ordered for a door
 * stands until a person ends it: locked down by a rule, a door that it restricted is so again when that ends.
 */
export function ruleOrder(
  action: OrderAction,
  mode: SiteMode,
  isLockedDown: (doorId: string) => boolean,
  sharedRaise: (what: string) => RuleRaise['shared'],
): RuleOrder {
  // Beside what others raised: it stands when they release theirs.
  if (isRaise(action)) {
    const raised =
      'raise' in action ? { what: 'lockdown' as const } : { what: 'threat' as const, level: action.raiseThreatLevel };
    const shared = sharedRaise(Object.values(raised).join(' '));
    return order({ kind: 'raise', ...raised, ...(shared && { shared }) });
  }
  const { door } = action;
  if ('access' in action) {
    if (isLockedDown(door)) return refused('it is locked down');
    return order({ kind: 'accessDoor', door, extended: action.access === 'extended' });
  }
  const wanted = doorOrder(action);
  const present = mode.doors[door];
  const isByPerson = present !== undefined && ruleOf(present.by) === undefined;
  const isSo = present === undefined ? wanted.kind === 'releaseDoor' : present.mode === action.mode;
  // A rule's order that ends by itself begins anew each time.
  if (isSo && (action.forMs === undefined || isByPerson)) return { kind: 'stands' };
  if (isLockedDown(door) && isOpening(wanted, mode)) return refused('it is locked down');
  if (isByPerson && action.mode !== 'lockedDown') {
    return refused(`${present.by} ordered ${present.mode} for it, which a person ends`);
  }
  return order(wanted);
}

export const isRaise = (
  action: LinkageAction,
): action is Extract<OrderAction, { raise: unknown } | { raiseThreatLevel: unknown }> =>
  'raise' in action || 'raiseThreatLevel' in action;

/** Waits for no record, and for no other order. */
export const isRestricting = (action: LinkageAction, mode: SiteMode): boolean =>
  isRaise(action) || ('mode' in action && !isOpening(doorOrder(action), mode));

function doorOrder({ door, mode, forMs }: Extract<LinkageAction, { mode: unknown }>): DoorOrder {
  if (mode === 'scheduled') return { kind: 'releaseDoor', door };
  return { kind: 'door', door, mode, ...(forMs !== undefined && { forMs }) };
}
