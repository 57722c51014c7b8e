/**
 * How gateways of a site come to hold the same logs: each says up to where it has which log on its disk, and asks a
 * neighbour for what it lacks. Pure; links, disks and time are the adapter's.
 * @packageDocumentation
 */
export {
  ANNOUNCE_ALL_MS,
  ANNOUNCE_OTHERS_PAUSE_MS,
  ANNOUNCE_PAUSE_MS,
  allTips,
  PUSHED_BYTES_MAX,
} from './announcing.js';
export * from './attested.js';
export * from './author-log.js';
export * from './messages.js';
export * from './replication-state.js';
export * from './replication.js';
