/**
 * How a program of the cloud tier is configured: one list of variables, by file and environment.
 * @packageDocumentation
 */
export * from './cloud-config.js';
export { SPAN_MAX_MS } from './config-problems.js';
export { spanMs } from './span.js';
