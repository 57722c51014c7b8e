import type { EventDescription } from './event-description.js';

const OF_TASK = { task: 'the operation', kind: 'what it does', operator: 'who began it' } as const;

/** Buses, the devices on them, and what people do to these in a commissioning window. */
export const DEVICE_EVENTS = {
  'reader.online': {
    severity: 'notice',
    meaning: 'A device answers and, where required, is secured.',
    fields: ['deviceId'],
  },
  'reader.offline': {
    severity: 'alarm',
    meaning: 'A device does not answer or cannot be secured.',
    fields: ['deviceId', 'code?'],
  },
  'reader.tamper': {
    severity: 'alarm',
    topic: 'Door/State/DoorTamper',
    value: 'TamperDetected',
    meaning: 'A device reports tamper, or lost Secure Channel.',
    fields: ['deviceId', 'busId?', 'code?'],
  },
  'reader.tamper_clear': {
    severity: 'notice',
    topic: 'Door/State/DoorTamper',
    value: 'NotInTamper',
    meaning: 'Tamper of a device ended.',
    fields: ['deviceId', 'code?'],
  },
  'reader.power_failed': {
    severity: 'alarm',
    meaning: 'A device reports that its supply fails.',
    fields: ['deviceId'],
  },
  'reader.power_restored': {
    severity: 'notice',
    meaning: 'The supply of a device is in order again.',
    fields: ['deviceId'],
  },
  'reader.alarm': {
    severity: 'alarm',
    meaning: 'A device misbehaves on the bus; the code is given.',
    fields: ['busId', 'deviceId?', 'code'],
  },
  'bus.up': { severity: 'notice', meaning: 'The byte link of a bus is open.', fields: ['busId'] },
  'bus.down': {
    severity: 'alarm',
    meaning: 'The byte link of a bus is down; the code is given.',
    fields: ['busId', 'code?'],
  },
  'commissioning.opened': {
    severity: 'notice',
    meaning: 'A person opened a commissioning window.',
    detail: { operator: 'who', minutes: 'for how long' },
  },
  'commissioning.closed': {
    severity: 'notice',
    meaning: 'A commissioning window ended: it was closed, its time was over, or the gateway stopped.',
    detail: { operator: 'who opened it', why: '`closed`, `expired` or `stopped`' },
  },
  'commissioning.refused': {
    severity: 'warning',
    meaning: 'A request to commission or to order was refused: its code or token is wrong.',
    fields: ['code'],
    detail: { 'operator?': 'who opened the window that the code is not of' },
  },
  'commissioning.started': {
    severity: 'notice',
    meaning: 'A person began something in a commissioning window.',
    fields: ['busId?', 'deviceId?'],
    detail: { ...OF_TASK, 'what?': 'with which values, such as a new address or the id of a bundle' },
  },
  'commissioning.ended': {
    severity: 'notice',
    meaning: 'What a person began in a commissioning window ended; how, and why, is given.',
    fields: ['busId?', 'deviceId?', 'code?'],
    detail: { ...OF_TASK, state: 'how it ended' },
  },
  'key.changed': {
    severity: 'notice',
    meaning: 'A device has shown that it has its new key; the old one is gone.',
    fields: ['deviceId'],
  },
  'key.unchanged': {
    severity: 'warning',
    meaning: 'A device has shown that it still has its old key after it was sent a new one, which is gone.',
    fields: ['deviceId', 'code'],
  },
  'key.lost': {
    severity: 'alarm',
    meaning: 'A device refuses every key that is held for it: it was reset, replaced, or somebody is on the line.',
    fields: ['deviceId', 'code'],
  },
  'escrow.written': {
    severity: 'info',
    meaning: 'The keys were sealed to the recovery key of the site.',
    detail: { digest: 'SHA-256 of the bundle', devices: 'how many devices it has keys of' },
  },
  'escrow.failed': {
    severity: 'alarm',
    meaning: 'The keys could not be sealed to the recovery key of the site.',
    fields: ['code'],
  },
  'escrow.restored': {
    severity: 'notice',
    meaning: 'Keys came from the escrow bundle of a gateway that this one replaces.',
    detail: { digest: 'SHA-256 of the bundle' },
  },
} as const satisfies Record<string, EventDescription>;
