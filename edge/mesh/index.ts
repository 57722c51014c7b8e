/**
 * Links to the other gateways of a site.
 * @packageDocumentation
 */
export { AddressBook, type MemberPlace } from './address-book.js';
export { Callers } from './callers.js';
export { Dialler } from './dialler.js';
export { FRAME_BYTES_MAX, FrameStream } from './frame-stream.js';
export { Frame, type FrameTime } from './frames.js';
export {
  emptyKeeper,
  FALLBACK_REDIAL_MS,
  FIRST_FALLBACK_MS,
  FULL_MESH_MAX,
  GREETED_FOR_MS,
  neighboursOf,
  nextDeadlineMs as nextKeeperDeadlineMs,
  REDIAL_MS,
  REFUSED_FOR_MS,
  step as stepKeeper,
  type KeeperInput,
  type KeeperState,
} from './keeper.js';
export { Libp2pNetwork, type Libp2pNetworkDeps, type Libp2pNetworkOptions } from './libp2p-network.js';
export { createNode, type Node } from './libp2p-node.js';
export { Links, LinksTold, type HeardLink } from './links.js';
export { muxer } from './muxer.js';
export { MEASUREMENTS_KEPT, NeighbourTimes } from './neighbour-times.js';
export * from './pace.js';
export {
  GREETING_MAX_MS,
  nextDeadlineMs as nextSessionDeadlineMs,
  openSession,
  PING_INTERVAL_MS,
  SESSION_VERSION,
  step as stepSession,
  UNANSWERED_PINGS_MAX,
  type SessionEffect,
  type SessionInput,
  type SessionSite,
  type SessionState,
} from './session.js';
export { TELL_AGAIN_MS, TELL_PAUSE_MS, Teller } from './teller.js';
export { UnreadBytes } from './unread-bytes.js';
