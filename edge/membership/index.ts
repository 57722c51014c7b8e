/**
 * Of which site the gateway is a member: its authority, the newest roster, the site secret.
 * @packageDocumentation
 */
export * from './join-site.js';
export * from './membership.js';
export { readMembership, type MembershipRecord } from './membership-files.js';
