/**
 * Directives: what an operator with a key directs a site to do, who may, and in which form it is signed and carried.
 *
 * signature = Ed25519("sparc/directive/1\0" ‖ UTF-8 of the text); the text is JSON.
 * id = the first 16 bytes of SHA-256(public key of the operator ‖ what the signature is over).
 * @packageDocumentation
 */
export * from './directive.js';
export * from './entitlements.js';
export * from './rights.js';
export * from './signed-directive.js';
