/**
 * Errors: one class, stable codes, one registry.
 * @packageDocumentation
 */
export { asApiError } from './as-api-error.js';
export { errorFields } from './error-fields.js';
export { isSparcError, SparcError } from './sparc-error.js';
export { ERRORS, type ErrorCode, type ErrorDescription } from './registry.js';
