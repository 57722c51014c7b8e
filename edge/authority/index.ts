/**
 * The authority of a site that is kept offline: makes a site, and says who belongs to it and what counts there.
 * @packageDocumentation
 */
export * from './authority-folder.js';
export * from './authority-log.js';
