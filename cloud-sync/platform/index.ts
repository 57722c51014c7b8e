/**
 * What only a real machine has.
 * @packageDocumentation
 */
export { seedSigner } from './ed25519.js';
export { tryLock, type ExclusiveLock } from './exclusive-lock.js';
export { fromHex, hexColumn, toHex } from './hex.js';
export { nodeClock } from './node-clock.js';
export { nodeCrypto } from './node-crypto.js';
export { nodePartTools } from './node-part-tools.js';
export { nodeRandom } from './node-random.js';
export { pinMac } from './pin-mac.js';
export { runThread, type ThreadOptions } from './run-thread.js';
export { Seal } from './seal.js';
export { keepSecretFile, keptSecret, readSecretFile } from './secret-file.js';
export { turn } from './turn.js';
