/**
 * Ports: everything the domain needs from the world. Real implementations live in `platform/` folders and in
 * `firmware-bridges`, simulated ones in `simulator/world`.
 * @packageDocumentation
 */
export * from './byte-link.js';
export * from './clock.js';
export * from './cloud-link.js';
export * from './field-bus.js';
export * from './journal.js';
export * from './log-store.js';
export * from './mesh-network.js';
export * from './part-store.js';
export * from './random.js';
export * from './replica-store.js';
export * from './signer.js';
