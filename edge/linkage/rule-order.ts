import type { LinkageAction } from '@sparc/protocol/policy';
import { isOpening, type Order, type SiteMode } from '../site-mode/index.js';

/** Orders of rules carry it in place of a person's name. */
const RULE_AUTHOR = 'rule:';
export const authorOf = (ruleId: string): string => `${RULE_AUTHOR}${ruleId}`;
/** The rule behind an order; undefined: a person. */
export const ruleOf = (by: string | undefined): string | undefined =>
  by?.startsWith(RULE_AUTHOR) === true ? by.slice(RULE_AUTHOR.length) : undefined;

type DoorOrder = Extract<Order, { kind: 'door' | 'releaseDoor' }>;

export type OrderAction = Extract<
  LinkageAction,
  { access: unknown } | { mode: unknown } | { raise: unknown } | { raiseThreatLevel: unknown }
>;

/** What a rule may order now. `stands`: it is so already. */
export type RuleOrder =
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'stands' }
  | { readonly kind: 'refused'; readonly why: string };

const order = (given: Order): RuleOrder => ({ kind: 'order', order: given });
const refused = (why: string): RuleOrder => ({ kind: 'refused', why });

/**
 * A rule opens nothing in a lockdown, not even for its end; it raises and never lowers; and what a person ordered for a door
 * stands until a person ends it, but for locking it down.
 */
export function ruleOrder(action: OrderAction, mode: SiteMode): RuleOrder {
  if ('raise' in action) return mode.lockdown === undefined ? order({ kind: 'lockdown' }) : { kind: 'stands' };
  if ('raiseThreatLevel' in action) {
    const level = action.raiseThreatLevel;
    return level > mode.threatLevel ? order({ kind: 'threatLevel', level }) : { kind: 'stands' };
  }
  const { door } = action;
  if ('access' in action) {
    if (mode.lockdown !== undefined) return refused('the site is locked down');
    return order({ kind: 'accessDoor', door, extended: action.access === 'extended' });
  }
  const wanted = doorOrder(action);
  const present = mode.doors[door];
  const isByPerson = present !== undefined && ruleOf(present.by) === undefined;
  const isSo = present === undefined ? wanted.kind === 'releaseDoor' : present.mode === action.mode;
  // A rule's order that ends by itself begins anew each time.
  if (isSo && (action.forMs === undefined || isByPerson)) return { kind: 'stands' };
  if (mode.lockdown !== undefined && isOpening(wanted)) return refused('the site is locked down');
  if (isByPerson && action.mode !== 'lockedDown') {
    return refused(`${present.by} ordered ${present.mode} for it, which a person ends`);
  }
  return order(wanted);
}

function doorOrder({ door, mode, forMs }: Extract<LinkageAction, { mode: unknown }>): DoorOrder {
  if (mode === 'scheduled') return { kind: 'releaseDoor', door };
  return { kind: 'door', door, mode, ...(forMs !== undefined && { forMs }) };
}
