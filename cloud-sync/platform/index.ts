/**
 * What only a real machine has.
 * @packageDocumentation
 */
export { tryLock, type ExclusiveLock } from './exclusive-lock.js';
