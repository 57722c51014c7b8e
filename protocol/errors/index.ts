/**
 * Errors: one class, stable codes, one registry.
 * @packageDocumentation
 */
export { isSparcError, SparcError } from './sparc-error.js';
export { ERRORS, type ErrorCode, type ErrorDescription } from './registry.js';
