/**
 * What a gateway records: the catalogue of events, the reasons of decisions, and the shape of a record.
 * @packageDocumentation
 */
export * from './catalogue.js';
export * from './event-record.js';
export { REASON_TEXTS } from './reason-texts.js';
export * from './reasons.js';
