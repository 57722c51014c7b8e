/** ONVIF topics under `tns1:` that events map to, with the states of those that tell one (Door Control 4.2, Schedule 5). */
export const ONVIF_TOPICS = {
  'AccessControl/AccessGranted/Credential': [],
  'AccessControl/AccessGranted/Anonymous': [],
  'AccessControl/AccessTaken/Credential': [],
  'AccessControl/AccessTaken/Anonymous': [],
  'AccessControl/AccessNotTaken/Credential': [],
  'AccessControl/AccessNotTaken/Anonymous': [],
  'AccessControl/Denied/Credential': [],
  'AccessControl/Duress': [],
  'Credential/State/ApbViolation': ['true', 'false'],
  'Door/State/DoorAlarm': ['Normal', 'DoorForcedOpen', 'DoorOpenTooLong'],
  'Door/State/DoorFault': ['NotInFault', 'FaultDetected'],
  'Door/State/DoorMode': [
    'Locked',
    'Unlocked',
    'Accessed',
    'Blocked',
    'LockedDown',
    'LockedOpen',
    'DoubleLocked',
    'Unknown',
  ],
  'Door/State/DoorPhysicalState': ['Open', 'Closed'],
  'Door/State/DoorTamper': ['NotInTamper', 'TamperDetected'],
  'Schedule/State/Active': ['true', 'false'],
} as const satisfies Record<string, readonly string[]>;

export type OnvifTopic = keyof typeof ONVIF_TOPICS;
