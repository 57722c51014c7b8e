/**
 * The authority of a site that is kept offline: makes a site, and says which gateways belong to it.
 * @packageDocumentation
 */
export * from './authority-folder.js';
