/**
 * How a program of the cloud tier is configured: one list of variables, by file and environment.
 * @packageDocumentation
 */
export * from './cloud-config.js';
