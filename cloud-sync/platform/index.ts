/**
 * What only a real machine has.
 * @packageDocumentation
 */
export { tryLock, type ExclusiveLock } from './exclusive-lock.js';
export { fromHex, toHex } from './hex.js';
export { nodeClock } from './node-clock.js';
export { nodeCrypto } from './node-crypto.js';
export { nodeRandom } from './node-random.js';
export { keepSecretFile, readSecretFile } from './secret-file.js';
