/**
 * Who belongs to a site: a list of keys signed by its authority, and how a gateway gets onto it.
 * @packageDocumentation
 */
export * from './enrolment.js';
export * from './roster.js';
export * from './sealed.js';
