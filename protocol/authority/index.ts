/**
 * The authority of a site: what it has said by its log, and what it says next. Pure; whoever has its key keeps the log, in a
 * folder or in the cloud.
 * @packageDocumentation
 */
export * from './acts.js';
export * from './authority-key.js';
export * from './authority-state.js';
export * from './continue-log.js';
