/**
 * Policy: the site file and its terms (ONVIF Access Control, Door Control, Access Rules, Credential, Schedule).
 * @packageDocumentation
 */
export * from './absorbed-directive.js';
export * from './access-point.js';
export * from './area.js';
export * from './crossing.js';
export * from './device.js';
export * from './door.js';
export * from './door-mode.js';
export * from './egress.js';
export * from './hashed-credential.js';
export * from './linkage-rule.js';
export * from './linkage-trigger.js';
export * from './pin-alone.js';
export * from './plan-buses.js';
export * from './policy-content.js';
export * from './schedule.js';
export { Id } from './schema-terms.js';
export * from './site-file.js';
export * from './site-plan.js';
export * from './validity-clock.js';
export * from './zone-clock.js';
