import { ACCESS_EVENTS } from './access-events.js';
import { ADMIN_EVENTS } from './admin-events.js';
import { DEVICE_EVENTS } from './device-events.js';
import { DIRECTIVE_EVENTS } from './directive-events.js';
import { DOOR_EVENTS } from './door-events.js';
import type { EventDescription } from './event-description.js';
import { GATEWAY_EVENTS } from './gateway-events.js';
import { LINKAGE_EVENTS } from './linkage-events.js';
import { MESH_EVENTS } from './mesh-events.js';
import { SITE_EVENTS } from './site-events.js';

/** Each group of events, by what they are about. A name is in one of them. */
export const EVENT_GROUPS = {
  'People at doors': ACCESS_EVENTS,
  Doors: DOOR_EVENTS,
  Site: SITE_EVENTS,
  Directives: DIRECTIVE_EVENTS,
  'Linkage rules': LINKAGE_EVENTS,
  'Buses and devices': DEVICE_EVENTS,
  Gateway: GATEWAY_EVENTS,
  'Mesh and ledgers': MESH_EVENTS,
  Administration: ADMIN_EVENTS,
} as const satisfies Record<string, Record<string, EventDescription>>;

/** Every event a gateway records. Names are stable API: never renamed, never reused. */
export const EVENTS = {
  ...ACCESS_EVENTS,
  ...DOOR_EVENTS,
  ...SITE_EVENTS,
  ...DIRECTIVE_EVENTS,
  ...LINKAGE_EVENTS,
  ...DEVICE_EVENTS,
  ...GATEWAY_EVENTS,
  ...MESH_EVENTS,
  ...ADMIN_EVENTS,
} as const satisfies Record<string, EventDescription>;

export type EventName = keyof typeof EVENTS;

/** Of text that anybody may have written: a newer version may know more names. */
export const isEventName = (name: string): name is EventName => Object.hasOwn(EVENTS, name);

/**
 * Events that fill ledgers and of which nothing follows after seven days: their bodies may go once the cloud has them. All others
 * stay with every gateway: what was directed, how the site stands, who was barred, what somebody may want to see on the spot.
 */
export const PASSING_EVENTS: ReadonlySet<EventName> = new Set<EventName>([
  'access.granted',
  'access.denied',
  'access.pin_pending',
  'access.second_person_pending',
  'access.escort_pending',
  'access.host_pending',
  'access.released',
  'access.double_card',
  'access.not_executed',
  'access.outcome_unknown',
  'access.abandoned',
  'access.used',
  'access.not_used',
  'access.unverified',
  'exit.released',
  'exit.used',
  'exit.not_used',
  'exit.unverified',
  'exit.not_released',
  'area.moved',
  'area.left_anonymously',
  'area.empty',
  'area.occupied',
  'area.full',
  'area.presence_expired',
  'door.opened',
  'door.closed',
  'door.secured',
  'door.unlocked',
  'door.locked',
  'door.held_warning',
  'door.held',
  'door.held_masked',
  'door.held_clear',
  'schedule.active',
  'schedule.inactive',
  'linkage.ran',
  'linkage.carried_out',
  'output.switched',
  'snapshot.requested',
  'reader.online',
  'reader.offline',
  'bus.up',
  'bus.down',
  'mesh.neighbour_found',
  'mesh.neighbour_lost',
]);
