/**
 * What the field and the site part say to each other, and what the API shows of it. The API itself, which only the site part
 * loads, is `server`.
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
  type FieldToSite,
  type RequestAnswer,
  type SiteOptions,
} from './site-messages.js';
export type { BusSnapshot, DoorSnapshot, RaiseSnapshot, ReaderSnapshot, SiteSnapshot } from './site-snapshot.js';
export { TimesTold } from './times-told.js';
export { TrialRequest } from './trial-request.js';
