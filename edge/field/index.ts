/**
 * The field part of a gateway: joins buses, policy, journal and doors.
 * @packageDocumentation
 */
export type { DirectedSite } from './directed.js';
export { Field } from './field.js';
export type { FieldDeps, FieldOptions } from './field-deps.js';
export type { FieldPolicy } from './field-policy.js';
export type { FieldSnapshot } from './field-snapshot.js';
export type { FieldLog } from './recorder.js';
export { ScheduleWatch, type ScheduleWatchDeps } from './schedule-watch.js';
