/**
 * OSDP (SIA OSDP v2.2, IEC 60839-11-5): frames, messages, Secure Channel, and pure state machines for both ends.
 * @packageDocumentation
 */
export { CodecError, type CodecErrorCode, type Decoded } from './codec-error.js';
export * from './commands.js';
export * from './replies.js';
export type { EncodedMessage } from './message.js';
export { keypadText } from './keypad.js';
export {
  createAcu,
  hasUrgent,
  nextTurnAtMs,
  step as stepAcu,
  type AcuEffect,
  type AcuInput,
  type AcuOptions,
  type AcuState,
  type AcuTimings,
  type CommandOutcome,
  type CommandPriority,
  type SecureChannelPolicy,
} from './acu-machine.js';
export { createPd, nextTimeMs, step as stepPd, type PdState } from './pd-machine.js';
export * from './pd-types.js';
