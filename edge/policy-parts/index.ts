/**
 * Parts of policy revisions: where they are kept, and how the authority of a site makes them.
 * @packageDocumentation
 */
export * from './authority-policy.js';
export * from './contents-of.js';
export * from './node-part-tools.js';
export * from './open-parts.js';
export * from './policy-reserve.js';
export * from './sqlite-part-store.js';
