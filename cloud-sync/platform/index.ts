/**
 * What only a real machine has.
 * @packageDocumentation
 */
export { tryLock, type ExclusiveLock } from './exclusive-lock.js';
export { fromHex, toHex } from './hex.js';
export { nodeCrypto } from './node-crypto.js';
