/**
 * How gateways of a site come to hold the same logs: each says up to where it has which log on its disk, and asks a
 * neighbour for what it lacks. Pure; links, disks and time are the adapter's.
 * @packageDocumentation
 */
export * from './attested.js';
export * from './author-log.js';
export * from './messages.js';
export * from './replication.js';
