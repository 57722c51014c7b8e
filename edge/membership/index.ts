/**
 * Of which site the gateway is a member: its authority, the newest roster, the site secret.
 * @packageDocumentation
 */
export * from './membership.js';
export { readMembership, writeMembership, writeRoster, type MembershipRecord } from './membership-files.js';
