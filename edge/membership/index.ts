/**
 * Of which site the gateway is a member: its authority, the newest roster, the site secret and the key of its PIN hashes.
 * @packageDocumentation
 */
export * from './expulsion-book.js';
export * from './expulsion-file.js';
export * from './join-site.js';
export * from './membership.js';
export { readMembership, writeMembership, type MembershipRecord } from './membership-files.js';
export { PREVIOUS_SECRET_MS, secretsOf, type HeldSecrets } from './site-secrets.js';
