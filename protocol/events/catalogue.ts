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
