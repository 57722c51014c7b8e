import type { EventDescription } from './event-description.js';

/** Doors, their alarms and what is ordered of them. */
export const DOOR_EVENTS = {
  'door.opened': {
    severity: 'info',
    topic: 'Door/State/DoorPhysicalState',
    value: 'Open',
    meaning: 'The door opened.',
    fields: ['doorId'],
  },
  'door.closed': {
    severity: 'info',
    topic: 'Door/State/DoorPhysicalState',
    value: 'Closed',
    meaning: 'The door closed.',
    fields: ['doorId'],
  },
  'door.secured': {
    severity: 'info',
    meaning: 'The door is closed and locked again after a passage, which is its cause.',
    fields: ['doorId', 'accessPointId?', 'credentialId?', 'holderId?'],
    detail: {
      openedAt: 'when it was opened, in UTC',
      closedAt: 'when it closed',
      securedAt: 'when it was closed and the lock had confirmed that it is locked',
    },
  },
  'door.forced': {
    severity: 'alarm',
    topic: 'Door/State/DoorAlarm',
    value: 'DoorForcedOpen',
    meaning: 'The door opened without a grant, exit request or unlock.',
    fields: ['doorId'],
  },
  'door.forced_masked': {
    severity: 'notice',
    meaning: 'The door opened without a grant, exit request or unlock, while a schedule masks that alarm.',
    fields: ['doorId'],
  },
  'door.forced_clear': {
    severity: 'notice',
    topic: 'Door/State/DoorAlarm',
    value: 'Normal',
    meaning: 'The alarm of a forced door ended: it closed, and where the alarm is latched a person has seen it.',
    fields: ['doorId'],
  },
  'door.held_warning': {
    severity: 'notice',
    meaning: 'The door will be held open too long soon.',
    fields: ['doorId'],
  },
  'door.held': {
    severity: 'alarm',
    topic: 'Door/State/DoorAlarm',
    value: 'DoorOpenTooLong',
    meaning: 'The door is open too long.',
    fields: ['doorId'],
  },
  'door.held_masked': {
    severity: 'info',
    meaning: 'The door is open too long, while a schedule masks that alarm.',
    fields: ['doorId'],
  },
  'door.held_clear': {
    severity: 'notice',
    topic: 'Door/State/DoorAlarm',
    value: 'Normal',
    meaning: 'A door held open closed.',
    fields: ['doorId'],
  },
  'door.unlocked': {
    severity: 'info',
    topic: 'Door/State/DoorMode',
    value: 'Unlocked',
    meaning: 'The door is unlocked, by its schedule or a person.',
    fields: ['doorId'],
  },
  'door.locked': {
    severity: 'info',
    topic: 'Door/State/DoorMode',
    value: 'Locked',
    meaning: 'The door is locked again.',
    fields: ['doorId'],
  },
  'door.mode_changed': {
    severity: 'notice',
    topic: 'Door/State/DoorMode',
    meaning: 'The mode of a door changed to or from one that people or a fire alarm ordered.',
    fields: ['doorId'],
    detail: { from: 'the mode before', to: 'the mode now' },
  },
  'door.ordered': {
    severity: 'notice',
    meaning: 'A named person or a linkage rule ordered a mode of a door, or gave it back to its schedule.',
    fields: ['doorId'],
    detail: {
      by: 'who',
      mode: 'the mode, or `scheduled`',
      'forMs?': 'for how long, where the order says it',
      'again?': 'the mode that was ordered before the rule gave its own, and stands again',
      'directive?': 'the id of the directive that says so',
    },
  },
  'door.order_expired': {
    severity: 'notice',
    meaning: 'The time of an order for a door is over; the door follows its schedule again, or another order.',
    fields: ['doorId'],
    detail: {
      by: 'who had ordered it',
      mode: 'the mode that was ordered',
      'again?': 'the mode of an order beside it, which stands',
    },
  },
  'door.acknowledged': {
    severity: 'notice',
    meaning: 'A named person acknowledged the alarm of a door.',
    fields: ['doorId'],
    detail: { by: 'who' },
  },
  'operator.release': {
    severity: 'notice',
    topic: 'AccessControl/AccessGranted/Anonymous',
    meaning: 'A named person or a linkage rule released a door for one passage; what became of it follows.',
    fields: ['doorId'],
    detail: {
      by: 'who',
      'extended?': '`true` where the door gives more time than usual',
      'directive?': 'the id of the directive that says so',
    },
  },
  'order.refused': {
    severity: 'warning',
    meaning:
      'What a named person or a linkage rule ordered was not carried out; why is given. What was recorded of it before is its cause.',
    fields: ['doorId?'],
    detail: { by: 'who', order: 'what was ordered', 'why?': 'what stands against it' },
  },
  'door.contact_fault': {
    severity: 'alarm',
    topic: 'Door/State/DoorFault',
    value: 'FaultDetected',
    meaning: 'The contact reports a fault or is out of reach; the door counts as not secure.',
    fields: ['doorId'],
    detail: { contact: 'the state of the wiring' },
  },
  'door.contact_restored': {
    severity: 'notice',
    topic: 'Door/State/DoorFault',
    value: 'NotInFault',
    meaning: 'The contact reports again.',
    fields: ['doorId'],
  },
  'door.lock_unconfirmed': {
    severity: 'alarm',
    meaning: 'A command that locks the door was not acknowledged.',
    fields: ['doorId', 'code?'],
  },
  'door.unlock_unconfirmed': {
    severity: 'alarm',
    meaning: 'The door should stand released, by fire, an order or its schedule, and the lock has not acknowledged it.',
    fields: ['doorId', 'code?'],
  },
  'door.output_unconfirmed': {
    severity: 'warning',
    meaning: 'A command to an output of the door beside its lock was not acknowledged; it is repeated.',
    fields: ['doorId', 'code?'],
    detail: { output: 'shunt or doubleLock' },
  },
  'door.unsecured_side_relay': {
    severity: 'warning',
    meaning:
      'The lock, or another output of the door, is driven from the unsecured side; this was accepted explicitly.',
    fields: ['doorId'],
  },
} as const satisfies Record<string, EventDescription>;
