/**
 * Who belongs to a site: a list of keys signed by its authority, and how a gateway gets onto it.
 * @packageDocumentation
 */
export * from './authority-kinds.js';
export * from './delegation.js';
export * from './enrolment.js';
export * from './expulsion.js';
export * from './roster.js';
export * from './sealed.js';
export * from './site-secret.js';
