/** Says recorded events in plain words. Errors and reasons come from the catalogue of an API. */

export const TASK_TITLES = {
  discover: 'Search for readers',
  identify: 'Identify',
  identifyFound: 'Identify',
  setAddress: 'Set address',
  setBusSpeed: 'Change bus speed',
  setKey: 'Set key',
  capture: 'Record frames',
  transfer: 'Send bundle',
};
export const TASK_STATES = { running: 'Running', done: 'Done', failed: 'Failed', cancelled: 'Cancelled' };

const TITLES = {
  'access.granted': 'Granted',
  'access.granted.emergency': 'Granted (emergency)',
  'access.denied': 'Denied',
  'access.granted.facility': 'Granted for its facility code, with no policy',
  'use_limit.changed': 'Use counted',
  'use_limit.restated': 'Counts of uses restated',
  'use_limit.unknown': 'Counts of uses lost',
  'first_card.in': 'First card: the door may be used',
  'first_card.ended': 'First card needed again',
  'access.double_card': 'Door toggled by a card',
  'access.duress': 'PIN under duress',
  'access.override': 'Override used',
  'access.pin_pending': 'PIN awaited',
  'access.second_person_pending': 'Second person awaited',
  'access.escort_pending': 'Escort awaited',
  'access.host_pending': 'Host asked',
  'host.unavailable': 'Host does not answer',
  'host.available': 'Host answers again',
  'access.released': 'Released',
  'access.used': 'Went through',
  'access.not_used': 'Did not open',
  'access.unverified': 'Passage not verified',
  'access.not_executed': 'Lock did not release',
  'access.outcome_unknown': 'Release not confirmed',
  'access.abandoned': 'Recorded too late',
  'credential.alarm': 'Lost or stolen card',
  'credential.locked_out': 'Locked out',
  'exit.released': 'Exit button',
  'exit.used': 'Went out',
  'exit.not_used': 'Did not open',
  'exit.unverified': 'Exit not verified',
  'exit.not_released': 'Exit button did not release',
  'exit.fault': 'Exit button: wiring fault',
  'exit.restored': 'Exit button in order again',
  'exit.active_at_start': 'Exit button was pressed at start',
  'door.opened': 'Opened',
  'door.closed': 'Closed',
  'door.secured': 'Closed and locked after a passage',
  'door.forced': 'Forced open',
  'door.forced_clear': 'Closed after forcing',
  'door.held': 'Held open too long',
  'door.held_warning': 'Held open: alarm soon',
  'door.held_masked': 'Held open, masked by a schedule',
  'door.forced_masked': 'Opened without a cause, masked by a schedule',
  'door.held_clear': 'Closed after being held',
  'door.mode_changed': 'Mode changed',
  'door.ordered': 'Ordered by a person',
  'door.order_expired': 'The time of an order is over',
  'door.acknowledged': 'Alarm acknowledged',
  'operator.release': 'Released by a person',
  'order.refused': 'Order refused',
  'revocation.applied': 'Revoked by a person',
  'revocation.list_damaged': 'Revocations damaged',
  'revocation.list_restored': 'Revocations taken from the journal',
  'visitor.added': 'Visitor let in by an operator',
  'visitor.ended': 'Visitor put out again',
  'visitor.list_lost': 'Visitors lost',
  'directive.given': 'Directive given',
  'directive.applied': 'Directive in force already',
  'directive.refused': 'Directive refused',
  'site.lockdown': 'Lockdown',
  'site.lockdown_ended': 'Lockdown ended',
  'site.released': 'Raises released',
  'site.threat_level': 'Threat level changed',
  'site.mode_lost': 'Orders lost',
  'site.mode_restored': 'Orders taken from the journal',
  'site.mode_unsaved': 'Orders not saved',
  'fire.alarm': 'Fire alarm',
  'fire.alarm_late': 'Fire alarm heard late',
  'fire.evacuation': 'Evacuation',
  'fire.ended': 'Fire ended',
  'fire.free_exit': 'Left during a fire',
  'input.fault': 'Input: wiring fault',
  'input.restored': 'Input in order again',
  'power.mains_failed': 'Mains failed',
  'power.mains_restored': 'Mains back',
  'power.battery_low': 'Battery low',
  'power.battery_restored': 'Battery in order again',
  'cabinet.tamper': 'Cabinet opened',
  'cabinet.tamper_clear': 'Cabinet closed',
  'watchdog.alarm': 'Watchdog alarm',
  'watchdog.restored': 'Watchdog in order again',
  'linkage.ran': 'Rule ran',
  'linkage.carried_out': 'Part of a rule done',
  'linkage.unheard': 'Part of a rule not heard',
  'linkage.failed': 'Rule failed',
  'linkage.suspended': 'Rule suspended',
  'linkage.resumed': 'Rule runs again',
  'linkage.message': 'Message of a rule',
  'linkage.alarm': 'Alarm of a rule',
  'output.switched': 'Output switched',
  'snapshot.requested': 'Picture requested',
  'area.empty': 'Area empty',
  'area.peers_unheard': 'Gateways of an area not heard',
  'area.peers_heard': 'Gateways of an area heard again',
  'area.occupied': 'Area occupied',
  'area.full': 'Area full',
  'area.moved': 'In another area',
  'area.left_anonymously': 'Left without a card',
  'area.presence_expired': 'Presence expired',
  'apb.forgiven': 'Anti-passback forgiven',
  'schedule.active': 'Schedule opened',
  'schedule.inactive': 'Schedule closed',
  'schedule.window_skipped': 'Window skipped by daylight saving',
  'door.unlocked': 'Unlocked',
  'door.locked': 'Locked',
  'door.contact_fault': 'Contact fault',
  'door.contact_restored': 'Contact restored',
  'door.output_unconfirmed': 'Shunt or double lock not confirmed',
  'door.lock_unconfirmed': 'Locking not confirmed',
  'door.unlock_unconfirmed': 'Unlocking not confirmed',
  'door.unsecured_side_relay': 'Relay on the unsecured side',
  'reader.online': 'Device online',
  'reader.offline': 'Device offline',
  'reader.tamper': 'Tamper',
  'reader.tamper_clear': 'Tamper ended',
  'reader.power_failed': 'Supply fails',
  'reader.power_restored': 'Supply in order again',
  'reader.alarm': 'Device misbehaves',
  'bus.up': 'Bus up',
  'bus.down': 'Bus down',
  'policy.loaded': 'Policy in force',
  'policy.lost': 'No policy',
  'policy.rejected': 'Policy refused',
  'policy.applied': 'Site file applied',
  'bundle.imported': 'Bundle for readers imported',
  'escrow.copied': 'Escrow bundle copied',
  'keys.restored': 'Keys restored from escrow',
  'ledger.exported': 'Journal exported',
  'config.changed': 'Configuration changed',
  'audit.unreadable': 'Note of an act unreadable',
  'journal.gap': 'Events lost',
  'journal.volatile_grant': 'Granted without a durable record',
  'commissioning.opened': 'Commissioning opened',
  'commissioning.closed': 'Commissioning closed',
  'commissioning.refused': 'Commissioning: code refused',
  'commissioning.started': 'Commissioning: begun',
  'commissioning.ended': 'Commissioning: ended',
  'key.changed': 'New key proven',
  'key.unchanged': 'Old key stays',
  'key.lost': 'Key lost',
  'escrow.written': 'Keys sealed for recovery',
  'escrow.failed': 'Keys could not be sealed',
  'escrow.restored': 'Keys restored',
  'gateway.started': 'Gateway started',
  'gateway.stopped': 'Gateway stopped',
  'gateway.part_failed': 'Part of the gateway restarted',
  'site.joined': 'Joined a site',
  'mesh.neighbour_found': 'Gateway connected',
  'mesh.neighbour_lost': 'Gateway away',
  'mesh.gateway_expelled': 'Gateway expelled',
  'mesh.expulsion_directed': 'Gateway expelled by an operator',
  'mesh.bus_unclaimed': 'No gateway has a bus',
  'mesh.bus_contested': 'Several gateways have a bus',
  'mesh.authority_refused': 'Entry of the authority refused',
  'mesh.cloud_refused': 'Message refused that is not of the cloud',
  'ledger.forked': 'Two histories of one gateway',
  'ledger.replica_full': 'No room for a ledger',
  'ledger.replicas_lost': 'Ledgers of others lost, filled again',
  'ledger.brought': 'Courier brought',
  'ledger.imported': 'Courier taken',
  'ledger.import_refused': 'Courier refused',
  'policy.aging': 'Policy grows old',
  'policy.stale': 'Policy too old',
  'clock.stepped': 'Clock was set',
  'clock.synced': 'Clock confirmed',
  'clock.holdover': 'Clock no longer confirmed',
  'clock.site_time': 'Time of the neighbours',
  'clock.stamps_ahead': 'Another gateway is far ahead',
  'clock.unsynced': 'Clock not known',
  'clock.distrusted': 'Clock not believed',
  'clock.accepted': 'Clock accepted by a person',
  'clock.mark_lost': 'Memory of the clock lost',
  // No event: one that was.
  emptied: 'More than seven days ago: only the cloud has it',
};

/** Names in a record may be of a newer version, or what a stolen gateway wrote: no words but those that a table has. */
const wordsOf = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);

export const titleOf = (event) => wordsOf(TITLES, event.name) ?? event.name;

/** Which filter shows the event, and which sign and colour it gets. */
export function kindOf({ name, severity }) {
  if (name === 'access.denied') return 'denied';
  if (severity === 'alarm') return 'alarm';
  if (name.startsWith('access.granted')) return 'granted';
  if (name.startsWith('exit.')) return 'exit';
  if (name.startsWith('door.')) return 'door';
  if (name.startsWith('reader.') || name.startsWith('bus.')) return 'reader';
  return 'info';
}

/** What was presented, as far as it is known: a person, a card, or nothing. */
export function whoOf(event) {
  if (event.holderName !== undefined) return event.holderName;
  if (event.holderId !== undefined) return event.holderId;
  const { onBehalfOf, operator, by, name } = event.detail ?? {};
  const actor = onBehalfOf ?? operator ?? by ?? name;
  if (actor !== undefined) return actor;
  const { card } = event;
  if (card?.cardNumber !== undefined) {
    return `card ${card.facility === undefined ? '' : `${card.facility}-`}${card.cardNumber}`;
  }
  if (card?.bitCount === 0) return 'PIN without a card';
  return card === undefined ? undefined : `card of ${card.bitCount} bits`;
}

/** Where: the door and, where one is concerned, the reader or bus. */
export function whereOf(event, site) {
  const door = site?.doors.find(({ id }) => id === event.doorId);
  const reader =
    site?.readers.find(({ accessPointId }) => accessPointId === event.accessPointId) ??
    site?.readers.find(({ deviceId }) => deviceId !== undefined && deviceId === event.deviceId);
  const parts = [
    reader?.name.startsWith(door?.name) ? undefined : (door?.name ?? event.doorId),
    reader?.name ?? event.accessPointId ?? event.deviceId,
    event.busId === undefined ? undefined : `bus ${event.busId}`,
    // Where a page shows those of several.
    event.gatewayName,
  ];
  return [...new Set(parts.filter((part) => part !== undefined))].join(' · ');
}

/** Details that say who, or that only name something. */
const NAMES_ONLY = new Set(['onBehalfOf', 'operator', 'by', 'task', 'act', 'neighbour', 'name']);

/** Why, as one sentence; the reason that decided comes first. */
export function whyOf(event, catalogue) {
  const text = (reason) => wordsOf(catalogue.reasons, reason) ?? reason;
  const parts = [];
  const { kind, state, ...detail } = event.detail ?? {};
  if (kind !== undefined) parts.push(wordsOf(TASK_TITLES, kind) ?? kind);
  if (state !== undefined) parts.push(wordsOf(TASK_STATES, state)?.toLowerCase() ?? state);
  // While something is awaited nothing has been denied yet.
  if (event.reason !== undefined && !event.name.endsWith('_pending')) parts.push(text(event.reason));
  if (event.alsoFailed?.length > 0) parts.push(`also: ${event.alsoFailed.map(text).join(', ')}`);
  if (event.flags?.length > 0) parts.push(`let out although ${event.flags.map(text).join(', ')}`);
  if (event.code !== undefined) parts.push(wordsOf(catalogue.errors, event.code)?.meaning ?? event.code);
  for (const [name, value] of Object.entries(detail)) {
    if (!NAMES_ONLY.has(name)) parts.push(`${name} ${value}`);
  }
  const sentence = parts.join('; ');
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
