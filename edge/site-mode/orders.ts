import { Type, type Static, type TProperties } from '@sinclair/typebox';
import { SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import { DOOR_MODES, letsIn, type StandingMode, standsOpen } from '@sparc/protocol/policy';
import type { EntryId } from '@sparc/protocol/ports';
import {
  type Act,
  isRaisedHere,
  isReleased,
  isStanding,
  type Raise,
  raiseRecord,
  releasesOf,
  setLevelRecord,
  THREAT_LEVEL_MAX,
  threatLevel,
  withRaise,
  withReleases,
} from '@sparc/protocol/site-mode';
import { RevocationSubject } from '../revocation/index.js';
import { ruleOf } from './author.js';
import { nextRaiseId } from './raise-id.js';
import { withoutOrders, type SiteMode } from './site-mode.js';

const closed = <const K extends string, T extends TProperties>(kind: K, properties: T) =>
  Type.Object({ kind: Type.Literal(kind), ...properties }, { additionalProperties: false });

/** As a program says it. */
export const OrderedMode = Type.Union(
  DOOR_MODES.filter((mode): mode is StandingMode => mode !== 'accessed').map((mode) => Type.Literal(mode)),
);
/** How long an order may last that says it. */
const OrderDurationMs = Type.Integer({ minimum: 1_000, maximum: 2_592_000_000 });
const DoorId = Type.String({ minLength: 1, maxLength: 64 });

/** What a named person may order. */
export const Order = Type.Union([
  closed('lockdown', {}),
  closed('endLockdown', {}),
  closed('threatLevel', { level: Type.Integer({ minimum: 0, maximum: THREAT_LEVEL_MAX }) }),
  closed('evacuate', {}),
  closed('endFire', {}),
  /** Ends by another order, by `releaseDoor`, or when its time is over. */
  closed('door', { door: DoorId, mode: OrderedMode, forMs: Type.Optional(OrderDurationMs) }),
  /** Back to what the schedule says; the only way out of `lockedDown` and `lockedOpen`. */
  closed('releaseDoor', { door: DoorId }),
  /** Momentary, for one passage. */
  closed('accessDoor', { door: DoorId, extended: Type.Optional(Type.Boolean()) }),
  /** A forced alarm that is latched ends with it, once the door is closed. */
  closed('acknowledge', { door: DoorId }),
  /** The wall clock of the machine is right, whatever was known of the time before. */
  closed('acceptClock', {}),
  /** Anti-passback begins anew for a holder. */
  closed('forgive', { holder: Type.String({ minLength: 1, maxLength: 64 }) }),
  /** The uses of a credential begin anew; without one, those of all whose count is not known. */
  closed('resetUses', { credential: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })) }),
  /** For good, whatever any policy says. `unlisted`: also where the policy in force has nobody of that id. */
  closed('revoke', {
    subject: RevocationSubject,
    id: Type.String({ minLength: 1, maxLength: 64 }),
    unlisted: Type.Optional(Type.Boolean()),
  }),
]);
export type Order = Static<typeof Order>;

/** An order on its way from the API to the field, which checks it again. Nobody gives one in the name of a linkage rule, or of a card. */
export const OrderRequest = closed('order', {
  by: Type.String({ minLength: 1, maxLength: 64, pattern: '^(?!rule:|credential:)' }),
  order: Order,
});
export type OrderRequest = Static<typeof OrderRequest>;

/** Orders that last. */
export type StandingOrder = Exclude<
  Order,
  { kind: 'accessDoor' | 'acknowledge' | 'acceptClock' | 'forgive' | 'resetUses' | 'revoke' }
>;

/** What a card does that is shown twice to the reader of a door. */
export interface Toggle {
  readonly kind: 'toggle';
  readonly door: string;
  readonly mode: 'locked' | 'unlocked';
  /** To the next boundary of its schedule. */
  readonly forMs?: number;
  readonly accessPointId: string;
  readonly credentialId: string;
  readonly holderId?: string;
}

/** What a linkage rule raises. */
export interface RuleRaise {
  readonly kind: 'raise';
  readonly what: 'lockdown' | 'threat';
  /** Of a threat. */
  readonly level?: number;
  /** Where every gateway runs the rule by itself: the same at all of them, so that one release ends it. */
  readonly shared?: { readonly id: string; readonly isForeseeable: boolean };
}

/** What a fire input says. */
export interface FireAlarm {
  readonly kind: 'fire';
  readonly inputId: string;
}

/** What is raised again so soon reaches everybody with the first one. */
export const RAISED_ANEW_AFTER_MS = 5_000;

/** What an order is given in. */
export interface Circumstances {
  /** 16 random bytes in hex. */
  readonly newId: () => string;
  /** Others count what is raised here: then nobody without a key lowers anything. */
  readonly isInMesh: boolean;
  readonly activeFireInputs: ReadonlySet<string>;
}

/** What an order makes of the site. Without a record it is so already. */
export interface Obeyed {
  readonly mode: SiteMode;
  readonly record?: EventDraft;
}

/**
 * True for what may release a lock, or lets in whom the mode kept out: it is recorded before. An evacuation waits for no
 * record.
 */
export function isOpening(order: StandingOrder | Toggle | RuleRaise, mode: SiteMode): boolean {
  switch (order.kind) {
    case 'endLockdown':
    case 'releaseDoor':
      return true;
    case 'threatLevel':
      return order.level < threatLevel(mode);
    case 'door':
    case 'toggle': {
      const present = mode.doors[order.door]?.mode;
      return standsOpen(order.mode) || (letsIn(order.mode) && present !== undefined && !letsIn(present));
    }
    default:
      return false;
  }
}

/**
 * What an order makes of the site, and its record. Throws ERR_GATEWAY_ORDER_REFUSED for what the present mode forbids, and
 * ERR_GATEWAY_KEY_REQUIRED for what an operator has to sign.
 */
export function obey(
  mode: SiteMode,
  order: StandingOrder | Toggle | RuleRaise | FireAlarm,
  act: Act,
  { newId, isInMesh, activeFireInputs }: Circumstances,
): Obeyed {
  const by = { by: act.by };
  const raised = (raise: Omit<Raise, 'id' | keyof Act>) => raising(mode, { ...act, ...raise, id: newId() }, isInMesh);
  switch (order.kind) {
    case 'lockdown':
      return raised({ what: 'lockdown' });
    case 'endLockdown':
      if (isInMesh) throw keyRequired('ends a lockdown');
      return {
        mode: withReleases(mode, releasesOf(mode, ['lockdown'])),
        record: { name: 'site.lockdown_ended', detail: by },
      };
    case 'threatLevel': {
      const { level } = order;
      if (!isInMesh) return setThreatLevel(mode, level, act, newId);
      if (isOpening(order, mode)) throw keyRequired('lowers a threat level');
      return level === 0 ? { mode } : raised({ what: 'threat', level });
    }
    case 'raise': {
      const { what, level, shared } = order;
      let raise: Raise = { ...act, what, ...(level !== undefined && { level }), id: shared?.id ?? newId() };
      // What anybody could foresee, a gateway that was stolen may have had released before its time; however many of the
      // ids after it, too, there is a next one. Those whose clocks are behind come to the same: one release ends it.
      while (shared?.isForeseeable === true && isReleased(mode, raise)) raise = { ...raise, id: nextRaiseId(raise.id) };
      return isReleased(mode, raise) ? { mode } : raising(mode, raise, isInMesh);
    }
    case 'fire':
      return raised({ what: 'fire', input: order.inputId });
    case 'evacuate':
      return raised({ what: 'evacuation' });
    case 'endFire': {
      const active = [...activeFireInputs];
      if (active.length > 0) throw refused(`the fire alarm still stands at ${active.join(', ')}`);
      const releases = releasesOf(mode, ['fire', 'evacuation']);
      return { mode: withReleases(mode, releases), record: { name: 'fire.ended', detail: by } };
    }
    case 'door':
      return obeyAtDoor(mode, order, act);
    case 'toggle':
      return toggle(mode, order, act);
    case 'releaseDoor':
      return releaseDoor(mode, order.door, act);
  }
}

/**
 * What somebody, or an input, raises again adds nothing where nobody else hears of it. In a mesh it may be over elsewhere
 * already, and is raised anew in place of the other.
 */
function raising(mode: SiteMode, raise: Raise, isInMesh: boolean): Obeyed {
  const { what, by, level = 0, input, atUnixMs } = raise;
  const mayBeOver = (each: Raise) => isInMesh && Math.abs(atUnixMs - each.atUnixMs) >= RAISED_ANEW_AFTER_MS;
  const isSo =
    isStanding(mode, raise) ||
    mode.raises.some(
      (each) =>
        isRaisedHere(each) &&
        each.what === what &&
        each.by === by &&
        each.input === input &&
        (each.level ?? 0) >= level &&
        !mayBeOver(each),
    );
  return isSo ? { mode } : { mode: withRaise(mode, raise), record: raiseRecord(mode, raise, !isInMesh) };
}

/** At a gateway that is alone, a person's word is the level. */
function setThreatLevel(mode: SiteMode, level: number, act: Act, newId: () => string): Obeyed {
  const raise = level === 0 ? undefined : { ...act, id: newId(), what: 'threat' as const, level };
  const lowered = withReleases(mode, releasesOf(mode, ['threat']));
  const next = raise === undefined ? lowered : withRaise(lowered, raise);
  return { mode: next, record: setLevelRecord(mode, next, act.by, raise) };
}

/** A person gives the door back to its schedule, a rule to what a person had ordered before it. */
function releaseDoor(mode: SiteMode, door: string, { by }: Act) {
  const [present, beneath] = [mode.doors[door], mode.overruled?.[door]];
  const isByRule = ruleOf(by) !== undefined;
  const released = withoutOrders(mode, (order) => order === present || (!isByRule && order === beneath));
  const again = released.doors[door]?.mode;
  const detail = { by, mode: 'scheduled', ...(again !== undefined && { again }) };
  const record: EventDraft = { name: 'door.ordered', doorId: door, detail };
  return { mode: released, record };
}

/** ONVIF: no command but its own release ends LockedDown or LockedOpen. */
function obeyAtDoor(mode: SiteMode, { door, mode: wanted, forMs }: Extract<Order, { kind: 'door' }>, act: Act) {
  const present = mode.doors[door]?.mode;
  if ((present === 'lockedDown' || present === 'lockedOpen') && wanted !== present) {
    throw refused(`door ${door} is ${present} until it is released from that`);
  }
  const record: EventDraft = {
    name: 'door.ordered',
    doorId: door,
    detail: { by: act.by, mode: wanted, ...(forMs !== undefined && { forMs: String(forMs) }) },
  };
  const ordered = { ...act, mode: wanted, ...(forMs !== undefined && { forMs }) };
  return { mode: { ...overruling(mode, door, act), doors: { ...mode.doors, [door]: ordered } }, record };
}

/** A rule keeps what a person restricted before it; an unlock is over, as after a restart. A person's word is the only one. */
function overruling(mode: SiteMode, door: string, { by }: Act): SiteMode {
  const { overruled: { [door]: beneath, ...others } = {}, ...rest } = mode;
  const present = mode.doors[door];
  const isFirstRule = present !== undefined && ruleOf(present.by) === undefined && !standsOpen(present.mode);
  const kept = ruleOf(by) === undefined ? undefined : isFirstRule ? present : beneath;
  const overruled = kept === undefined ? others : { ...others, [door]: kept };
  return Object.keys(overruled).length === 0 ? rest : { ...rest, overruled };
}

function toggle(mode: SiteMode, { kind: _kind, ...toggled }: Toggle, act: Act) {
  const { door, mode: wanted, forMs, ...subject } = toggled;
  const present = mode.doors[door];
  if (present !== undefined && present.isToggled !== true) {
    throw refused(`${present.by} ordered ${present.mode} for door ${door}`);
  }
  const record: EventDraft = {
    name: 'access.double_card',
    doorId: door,
    ...subject,
    detail: { mode: wanted, ...(forMs !== undefined && { forMs: String(forMs) }) },
  };
  const ordered = { ...act, mode: wanted, ...(forMs !== undefined && { forMs }), isToggled: true as const };
  return { mode: { ...mode, doors: { ...mode.doors, [door]: ordered } }, record };
}

/** Why an order is not carried out. `undoes`: the entry that says it was, where it was recorded first. */
export class OrderRefused extends SparcError {
  constructor(
    message: string,
    readonly undoes?: EntryId,
    options?: ErrorOptions,
  ) {
    super('ERR_GATEWAY_ORDER_REFUSED', message, {}, options);
  }
}

export const refused = (message: string) => new OrderRefused(message);

const keyRequired = (what: string) =>
  new SparcError('ERR_GATEWAY_KEY_REQUIRED', `in a site of several gateways only an operator with a key ${what}`);
