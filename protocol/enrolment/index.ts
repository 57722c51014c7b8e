/**
 * How a gateway comes to the cloud: by a code that a person carries to it, and with what it takes home.
 * @packageDocumentation
 */
export * from './claim-code.js';
export * from './link-grant.js';
