/**
 * Policy: the site file and its terms (ONVIF Access Control, Door Control, Access Rules, Credential, Schedule).
 * @packageDocumentation
 */
export * from './door-mode.js';
export * from './hashed-credential.js';
export * from './linkage-rule.js';
export * from './policy-content.js';
export * from './site-file.js';
export * from './site-plan.js';
