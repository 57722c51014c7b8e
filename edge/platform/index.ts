/**
 * What only a real machine has: clocks, chance, the gateway's identity, and files that survive a crash whole.
 * @packageDocumentation
 */
export { lastMovedAside, moveAside } from './aside.js';
export { createFileDurably, flushPath, replaceFileDurably, replaceFileDurablyLater } from './durable-file.js';
export { filePieces, replaceFileByPieces } from './file-pieces.js';
export {
  createSigningKey,
  findIdentity,
  findIdentitySeed,
  findSigningKey,
  findSigningSeed,
  loadIdentity,
  verifySignature,
} from './identity.js';
export { freeBytesAt } from './free-space.js';
export { fromHex, toHex } from './hex.js';
export {
  LIFE_INTERVAL_MS,
  LifeWatch,
  UNANSWERED_AT_START_MAX,
  UNANSWERED_MAX,
  type LifeWatchDeps,
} from './life-watch.js';
export { gatewayChannel } from './line-channel.js';
export { NewestSaver } from './newest-saver.js';
export { createNodeClock } from './node-clock.js';
export { nodeRandom } from './node-random.js';
export { MESSAGES_PER_SECOND_MAX, PART_MESSAGE_MAX, PartProcess } from './part-process.js';
export { createTimeEvidence } from './time-evidence.js';
export { createSecretFile, readSecretFile } from './secret-file.js';
export { findSecretKey, loadSecretKey, secretKeyText } from './secret-key.js';
export { tryLock, type ExclusiveLock } from './exclusive-lock.js';
export { Database } from './sqlite.js';
export { StateFile } from './state-file.js';
export { sparcVersion } from './sparc-version.js';
