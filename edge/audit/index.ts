/**
 * What people do to a gateway from outside of its process: noted in the data directory, taken into the journal.
 * @packageDocumentation
 */
export { act, type Act } from './act.js';
export { ACTS_WAITING_MAX, type ActFacts, type ActName } from './act-note.js';
export { Audit } from './audit.js';
export { markOfFile, type ConfigMark } from './config-mark.js';
