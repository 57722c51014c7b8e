/**
 * What a gateway records: the catalogue of events, the reasons of decisions, and the shape of a record.
 * @packageDocumentation
 */
export { ADMIN_EVENTS } from './admin-events.js';
export * from './catalogue.js';
export * from './event-description.js';
export * from './event-draft.js';
export * from './event-record.js';
export * from './onvif-denials.js';
export * from './onvif-topics.js';
export { REASON_TEXTS } from './reason-texts.js';
export * from './reasons.js';
export * from './why.js';
