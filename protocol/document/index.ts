/**
 * Documents that people write: what is wrong in them, and where.
 * @packageDocumentation
 */
export * from './nearest-name.js';
export * from './problem.js';
export * from './source-document.js';
