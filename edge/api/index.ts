/**
 * The site part: a child process that serves the state of the site, its events and the console on loopback. It hears
 * the field over process messages and is never asked by a decision. This is its parent's side, and what goes between.
 * @packageDocumentation
 */
export { MeshNotice, noticedEvent } from './mesh-notice.js';
export {
  MESH_OFF,
  MeshView,
  type CloudView,
  type HeadView,
  type LogView,
  type MemberView,
  type OperatorView,
  type PolicyLaneView,
} from './mesh-view.js';
export { siteEvent, type Cursor, type ListedEvent, type SiteEvent } from './site-event.js';
export {
  SiteToField,
  STORED_PAUSE_MS,
  type FieldAnswer,
  type RequestAnswer,
  type SiteOptions,
} from './site-messages.js';
export { SITE_BACKLOG_MAX, SiteProcess, type SiteProcessHandlers } from './site-process.js';
export type { BusSnapshot, DoorSnapshot, RaiseSnapshot, ReaderSnapshot, SiteSnapshot } from './site-snapshot.js';
export { TimesTold } from './times-told.js';
export { TrialRequest } from './trial-request.js';
