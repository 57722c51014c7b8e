/**
 * Doors: a pure machine of lock, contact and exit request, and the driver that executes its effects.
 * @packageDocumentation
 */
export { doorSettings, type DoorSettings } from './door-settings.js';
export type { DoorEffect, DoorInput, DoorState, Masks, OutputRole, Passage, Signal } from './door-state.js';
export { isSecure, OUTPUT_ROLES } from './door-state.js';
export { createDoor, nextDeadlineMs, step } from './door-machine.js';
export { Door, type DoorDeps, type DoorWiring, type PassageCause, type RecordEvent } from './door.js';
