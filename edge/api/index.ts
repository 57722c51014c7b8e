/**
 * The site part: a child process that serves the state of the site, its events and the console on loopback. It hears
 * the field over process messages and is never asked by a decision.
 * @packageDocumentation
 */
export { buildApi, type ApiDeps } from './server.js';
export { EventLog, type EventHistory, type EventRange } from './event-log.js';
export { EventStreams, STREAM_BACKLOG_MAX_BYTES, STREAM_HEARTBEAT_MS, STREAMS_MAX } from './event-streams.js';
export { SiteState, type SiteView } from './site-state.js';
export { siteEvent, type Cursor, type SiteEvent } from './site-event.js';
export type { FieldToSite, SiteOptions, SiteToField } from './site-messages.js';
export { SITE_BACKLOG_MAX, SiteProcess, type SiteProcessHandlers } from './site-process.js';
export type { BusSnapshot, DoorSnapshot, ReaderSnapshot, SiteSnapshot } from './site-snapshot.js';
