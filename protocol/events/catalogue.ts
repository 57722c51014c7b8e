export const SEVERITIES = ['info', 'notice', 'warning', 'alarm'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface EventDescription {
  readonly severity: Severity;
  /** ONVIF topic under `tns1:`, where one exists. */
  readonly topic?: string;
  readonly meaning: string;
}

/** Every event a gateway records. Names are stable API: never renamed, never reused. */
export const EVENTS = {
  'gateway.started': { severity: 'info', meaning: 'The gateway process started and opened a new epoch.' },
  'gateway.stopped': { severity: 'info', meaning: 'The gateway was stopped in order.' },
  'gateway.part_failed': { severity: 'warning', meaning: 'A part of the gateway ended unexpectedly and is restarted.' },
  'journal.gap': {
    severity: 'alarm',
    meaning: 'Events could not be recorded when they happened; how many were refused, come late or are lost is given.',
  },
  'journal.volatile_grant': {
    severity: 'alarm',
    meaning: 'A grant was released on a volatile record, as the access point says.',
  },
  'policy.loaded': { severity: 'info', meaning: 'A policy revision is in force.' },
  'policy.lost': { severity: 'alarm', meaning: 'No policy generation is readable; only emergency credentials work.' },
  'policy.rejected': { severity: 'alarm', meaning: 'A policy generation is damaged or not authentic and is not used.' },
  'access.granted': {
    severity: 'info',
    topic: 'AccessControl/AccessGranted/Credential',
    meaning: 'A presentation was granted; what became of it follows.',
  },
  'access.granted.emergency': {
    severity: 'alarm',
    topic: 'AccessControl/AccessGranted/Credential',
    meaning: 'An emergency credential was granted while no policy is readable.',
  },
  'access.denied': {
    severity: 'notice',
    topic: 'AccessControl/Denied/Credential',
    meaning: 'A presentation was denied; the reason is given.',
  },
  'access.pin_pending': { severity: 'info', meaning: 'A card waits for its PIN.' },
  'access.released': { severity: 'info', meaning: 'The lock of a grant was released.' },
  'access.not_executed': { severity: 'warning', meaning: 'A recorded grant was certainly not released.' },
  'access.outcome_unknown': { severity: 'warning', meaning: 'Whether a recorded grant was released is not known.' },
  'access.abandoned': { severity: 'warning', meaning: 'A grant became durable only after its limit; nothing moved.' },
  'access.used': {
    severity: 'info',
    topic: 'AccessControl/AccessTaken/Credential',
    meaning: 'The door was opened on a grant.',
  },
  'access.not_used': {
    severity: 'info',
    topic: 'AccessControl/AccessNotTaken/Credential',
    meaning: 'The door was not opened on a grant.',
  },
  'access.unverified': {
    severity: 'info',
    meaning: 'A grant ended; the door has no contact to say whether it was used.',
  },
  'access.duress': {
    severity: 'alarm',
    topic: 'AccessControl/Duress',
    meaning: 'A PIN for duress was typed; the reader shows nothing of it.',
  },
  'access.override': {
    severity: 'alarm',
    meaning: 'A credential with the override right was granted where the access point is disabled or locked down.',
  },
  'credential.alarm': { severity: 'alarm', meaning: 'A lost or stolen credential was presented.' },
  'credential.locked_out': { severity: 'alarm', meaning: 'A credential is locked out at a reader after wrong PINs.' },
  'exit.released': {
    severity: 'info',
    topic: 'AccessControl/AccessGranted/Anonymous',
    meaning: 'An exit request released the door.',
  },
  'exit.used': {
    severity: 'info',
    topic: 'AccessControl/AccessTaken/Anonymous',
    meaning: 'The door was opened on an exit request.',
  },
  'exit.not_used': { severity: 'info', meaning: 'An exit request was not followed by an opening.' },
  'exit.unverified': { severity: 'info', meaning: 'An exit request ended; the door has no contact.' },
  'exit.not_released': {
    severity: 'alarm',
    meaning: 'An exit request could not be executed: no command that releases the lock was acknowledged.',
  },
  'exit.fault': {
    severity: 'alarm',
    meaning: 'The wiring of an exit request is in fault; it neither releases nor shunts.',
  },
  'exit.restored': { severity: 'notice', meaning: 'The wiring of an exit request is in order again.' },
  'exit.active_at_start': {
    severity: 'notice',
    meaning: 'An exit request was active when the gateway first saw it; it is no exit.',
  },
  'door.opened': { severity: 'info', topic: 'Door/State/DoorPhysicalState', meaning: 'The door opened.' },
  'door.closed': { severity: 'info', topic: 'Door/State/DoorPhysicalState', meaning: 'The door closed.' },
  'door.forced': {
    severity: 'alarm',
    topic: 'Door/State/DoorAlarm',
    meaning: 'The door opened without a grant, exit request or unlock.',
  },
  'door.forced_clear': { severity: 'notice', topic: 'Door/State/DoorAlarm', meaning: 'A forced door closed.' },
  'door.held_warning': { severity: 'notice', meaning: 'The door will be held open too long soon.' },
  'door.held': { severity: 'alarm', topic: 'Door/State/DoorAlarm', meaning: 'The door is open too long.' },
  'door.held_clear': { severity: 'notice', topic: 'Door/State/DoorAlarm', meaning: 'A door held open closed.' },
  'door.unlocked': {
    severity: 'info',
    topic: 'Door/State/DoorMode',
    meaning: 'The door is unlocked, by its schedule or a person.',
  },
  'door.locked': { severity: 'info', topic: 'Door/State/DoorMode', meaning: 'The door is locked again.' },
  'door.mode_changed': {
    severity: 'notice',
    topic: 'Door/State/DoorMode',
    meaning: 'The mode of a door changed to or from one that people or a fire alarm ordered.',
  },
  'door.ordered': {
    severity: 'notice',
    meaning: 'A named person ordered a mode of a door, or gave it back to its schedule.',
  },
  'door.acknowledged': { severity: 'notice', meaning: 'A named person acknowledged the alarm of a door.' },
  'operator.release': {
    severity: 'notice',
    topic: 'AccessControl/AccessGranted/Anonymous',
    meaning: 'A named person released a door for one passage; what became of it follows.',
  },
  'order.refused': { severity: 'warning', meaning: 'What a named person ordered was not carried out; why is given.' },
  'site.lockdown': { severity: 'alarm', meaning: 'A named person locked the site down.' },
  'site.lockdown_ended': { severity: 'notice', meaning: 'A named person ended the lockdown.' },
  'site.threat_level': { severity: 'warning', meaning: 'A named person changed the threat level.' },
  'site.mode_lost': {
    severity: 'alarm',
    meaning: 'What was ordered before the start cannot be read; the site is in normal mode.',
  },
  'fire.alarm': {
    severity: 'alarm',
    meaning: 'A fire alarm became active; doors it concerns release until it is ended.',
  },
  'fire.evacuation': { severity: 'alarm', meaning: 'A named person called an evacuation.' },
  'fire.ended': {
    severity: 'notice',
    meaning: 'A named person ended fire and evacuation; doors return to their mode.',
  },
  'fire.free_exit': { severity: 'notice', meaning: 'Somebody left by an exit reader that asks nothing during a fire.' },
  'input.fault': {
    severity: 'alarm',
    meaning: 'The wiring of an input is in fault; it is neither active nor inactive.',
  },
  'input.restored': { severity: 'notice', meaning: 'The wiring of an input is in order again.' },
  'power.mains_failed': { severity: 'alarm', topic: 'Door/State/DoorFault', meaning: 'The mains supply failed.' },
  'power.mains_restored': { severity: 'notice', meaning: 'The mains supply is back.' },
  'power.battery_low': { severity: 'alarm', topic: 'Door/State/DoorFault', meaning: 'The battery is low or missing.' },
  'power.battery_restored': { severity: 'notice', meaning: 'The battery is in order again.' },
  'cabinet.tamper': { severity: 'alarm', topic: 'Door/State/DoorTamper', meaning: 'A cabinet was opened.' },
  'cabinet.tamper_clear': { severity: 'notice', topic: 'Door/State/DoorTamper', meaning: 'A cabinet is closed again.' },
  'watchdog.alarm': { severity: 'alarm', meaning: 'A hardware watchdog reports that what it watches stopped.' },
  'watchdog.restored': { severity: 'notice', meaning: 'A hardware watchdog is content again.' },
  'door.contact_fault': {
    severity: 'alarm',
    topic: 'Door/State/DoorFault',
    meaning: 'The contact reports a fault or is out of reach; the door counts as not secure.',
  },
  'door.contact_restored': { severity: 'notice', topic: 'Door/State/DoorFault', meaning: 'The contact reports again.' },
  'door.lock_unconfirmed': { severity: 'alarm', meaning: 'A command that locks the door was not acknowledged.' },
  'door.unsecured_side_relay': {
    severity: 'warning',
    meaning: 'The lock is driven from the unsecured side; this was accepted explicitly.',
  },
  'schedule.active': {
    severity: 'info',
    topic: 'Schedule/State/Active',
    meaning:
      'A schedule opened; the instant and why are given: a boundary, a change of policy or of the clock, a start.',
  },
  'schedule.inactive': {
    severity: 'info',
    topic: 'Schedule/State/Active',
    meaning: 'A schedule closed; the instant and why are given: a boundary, or a change of policy or of the clock.',
  },
  'schedule.window_skipped': {
    severity: 'notice',
    meaning: 'A window of a schedule stayed empty, because daylight saving skipped it whole.',
  },
  'reader.online': { severity: 'notice', meaning: 'A device answers and, where required, is secured.' },
  'reader.offline': { severity: 'alarm', meaning: 'A device does not answer or cannot be secured.' },
  'reader.tamper': {
    severity: 'alarm',
    topic: 'Door/State/DoorTamper',
    meaning: 'A device reports tamper, or lost Secure Channel.',
  },
  'reader.tamper_clear': { severity: 'notice', topic: 'Door/State/DoorTamper', meaning: 'Tamper of a device ended.' },
  'reader.power_failed': { severity: 'alarm', meaning: 'A device reports that its supply fails.' },
  'reader.power_restored': { severity: 'notice', meaning: 'The supply of a device is in order again.' },
  'reader.alarm': { severity: 'alarm', meaning: 'A device misbehaves on the bus; the code is given.' },
  'bus.up': { severity: 'notice', meaning: 'The byte link of a bus is open.' },
  'bus.down': { severity: 'alarm', meaning: 'The byte link of a bus is down; the code is given.' },
  'commissioning.opened': { severity: 'notice', meaning: 'A person opened a commissioning window.' },
  'commissioning.closed': {
    severity: 'notice',
    meaning: 'A commissioning window ended: it was closed, its time was over, or the gateway stopped.',
  },
  'commissioning.refused': {
    severity: 'warning',
    meaning: 'A commissioning request was refused: its code, or the token that opens a window, is wrong.',
  },
  'commissioning.started': { severity: 'notice', meaning: 'A person began something in a commissioning window.' },
  'commissioning.ended': {
    severity: 'notice',
    meaning: 'What a person began in a commissioning window ended; how, and why, is given.',
  },
  'key.changed': { severity: 'notice', meaning: 'A device has shown that it has its new key; the old one is gone.' },
  'key.unchanged': {
    severity: 'warning',
    meaning: 'A device has shown that it still has its old key after it was sent a new one, which is gone.',
  },
  'key.lost': {
    severity: 'alarm',
    meaning: 'A device refuses every key that is held for it: it was reset, replaced, or somebody is on the line.',
  },
  'escrow.written': { severity: 'info', meaning: 'The keys were sealed to the recovery key of the site.' },
  'escrow.failed': { severity: 'alarm', meaning: 'The keys could not be sealed to the recovery key of the site.' },
  'escrow.restored': {
    severity: 'notice',
    meaning: 'Keys came from the escrow bundle of a gateway that this one replaces.',
  },
  'area.moved': {
    severity: 'info',
    meaning: 'A holder is in another area now; areas, and whether that is certain, are given.',
  },
  'area.left_anonymously': { severity: 'info', meaning: 'Somebody left an area without a card, where that counts.' },
  'area.presence_expired': {
    severity: 'notice',
    meaning: 'A holder was not seen for so long that nobody takes them to be in the area any more.',
  },
  'apb.forgiven': {
    severity: 'notice',
    topic: 'Credential/State/ApbViolation',
    meaning: 'A named person let a holder begin anew with anti-passback.',
  },
  'clock.stepped': { severity: 'warning', meaning: 'Wall time stepped against monotonic time.' },
} as const satisfies Record<string, EventDescription>;

export type EventName = keyof typeof EVENTS;
