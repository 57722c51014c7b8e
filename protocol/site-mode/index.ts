/**
 * What was raised for a site (lockdown, threat level, fire) and stands until a release names it, and how gateways record that.
 * @packageDocumentation
 */
export * from './raise.js';
export * from './recorded-mode.js';
