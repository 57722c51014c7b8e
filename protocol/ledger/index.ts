/**
 * The ledger's format: entries of one author chained by hash, closed by signed heads, and batches of them for the wire
 * and for files. Protobuf wire format with one encoding for one value.
 *
 * hash = SHA-256("sparc/ledger/entry/1\0" ‖ author, epoch, sequence, previous hash, content bytes), of a passing entry with
 * SHA-256("sparc/ledger/body/1\0" ‖ body) in the place of its body
 * signature = Ed25519("sparc/ledger/head/1\0" ‖ site, author, epoch, sequence, hash)
 *
 * Content bytes are kept, sent and hashed as the author wrote them: an older version stores, relays and exports what a
 * newer one added.
 * @packageDocumentation
 */
export * from './batch.js';
export * from './chain.js';
export * from './codecs.js';
export * from './crypto.js';
export * from './emptied.js';
export * from './entry.js';
export * from './epoch-body.js';
export * from './event-body.js';
export * from './head.js';
export * from './message.js';
