/**
 * What neighbours would send each other, as a file: a USB stick takes part in the exchange.
 *
 * file = "sparc/courier/1\n" ‖ salt ‖ slots ‖ key check ‖ chunks of 64 KiB, each XChaCha20-Poly1305 under a key of this file
 * plain = opening ‖ records (a batch or a policy part each) ‖ the maker's signature over the chain of their hashes
 * @packageDocumentation
 */
export * from './courier.js';
export * from './maker.js';
export { CHUNK_BYTES } from './sealed-stream.js';
