import type { EventName } from '@sparc/protocol/events';

/** Events of other gateways that a field acts upon, or counts with; all others stay in the replicas. */
export const HEARD_EVENTS = [
  'directive.given',
  'gateway.started',
  'site.lockdown',
  'site.threat_level',
  'fire.alarm',
  'fire.evacuation',
  'fire.ended',
  'area.moved',
  'area.left_anonymously',
  'area.presence_expired',
  'apb.forgiven',
  'journal.gap',
  'linkage.ran',
  'linkage.carried_out',
] as const satisfies readonly EventName[];
