/**
 * Site files: what they have to be beyond their schema, and what they come to as a policy. Pure, because whoever writes a
 * policy checks it as whoever serves it does.
 * @packageDocumentation
 */
export { checkCredentials } from './check-credentials.js';
export * from './check-site.js';
export * from './content-of-site.js';
export * from './pins.js';
export * from './site-check.js';
export * from './site-plan-of.js';
