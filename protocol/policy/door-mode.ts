/** Modes of a door, as ONVIF Door Control names them. */
export const DOOR_MODES = [
  'locked',
  'unlocked',
  /** Released for one passage. */
  'accessed',
  /** Locked, and nobody passes on a credential; not with the right to override either. */
  'blocked',
  /** Locked, and only the right to override passes, until somebody ends it. */
  'lockedDown',
  /** Unlocked until somebody ends it. */
  'lockedOpen',
  /** Locked for the night: no schedule unlocks it, and only the right to override passes. */
  'doubleLocked',
] as const;
export type DoorMode = (typeof DOOR_MODES)[number];

/** A mode that lasts until something else is wanted. */
export type StandingMode = Exclude<DoorMode, 'accessed'>;

/** Whether somebody passes a door in this mode on a grant, with no right to override. */
export const letsIn = (mode: StandingMode): boolean =>
  mode === 'locked' || mode === 'unlocked' || mode === 'lockedOpen';

/** True where the lock stands released, and an opening is nobody's alarm. */
export const standsOpen = (standing: StandingMode): boolean => standing === 'unlocked' || standing === 'lockedOpen';
