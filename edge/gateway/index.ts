/**
 * The gateway process: puts field, journal, replica and site together, and runs until it is told to stop.
 * @packageDocumentation
 */
export { COPIED_AT_ONCE_MAX, COPIED_PAUSE_MS, CopiedWords } from './copied-words.js';
export { Gateway, type GatewayDeps } from './gateway.js';
export { LaneState } from './lane-state.js';
export { MeshJournal, NOTICE_PAUSE_MS, NOTICES_AT_ONCE_MAX } from './mesh-journal.js';
export { runGateway } from './run-gateway.js';
