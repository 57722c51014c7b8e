/**
 * Who belongs to a site: a list of keys signed by the authority of the site.
 * @packageDocumentation
 */
export * from './roster.js';
