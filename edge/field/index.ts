/**
 * The field part of a gateway: joins buses, policy, journal and doors.
 * @packageDocumentation
 */
export { CHANGE_PAUSE_MS, Field, type FieldDeps, type FieldOptions } from './field.js';
export { NO_POLICY, type FieldPolicy } from './field-policy.js';
export type { FieldSnapshot } from './field-snapshot.js';
export type { FieldLog } from './recorder.js';
