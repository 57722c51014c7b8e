/**
 * OSDP (SIA OSDP v2.2, IEC 60839-11-5): frames, messages, Secure Channel, and pure state machines for both ends.
 * @packageDocumentation
 */
export { CodecError, type CodecErrorCode, type Decoded } from './codec-error.js';
export * from './commands.js';
export * from './replies.js';
export { crc16 } from './crc.js';
export { checksum8 } from './checksum.js';
export {
  ADDRESS_MAX,
  CONFIGURATION_ADDRESS,
  decodeFrame,
  encodeFrame,
  FRAME_LENGTH_MAX,
  MARK,
  SOM,
  withMark,
  type Check,
  type Frame,
  type ReceivedFrame,
  type SecurityBlock,
  type Sequence,
} from './frame.js';
export {
  BUFFERED_INTER_CHARACTER_TIMEOUT_MS,
  FrameParser,
  INTER_CHARACTER_TIMEOUT_MS,
  type ParserCounts,
} from './frame-parser.js';
export * from './session-keys.js';
export { assertStrongKey } from './key-strength.js';
export { open, SCS, seal, type Opened, type Sealed, type SecureSession } from './secure-channel.js';
export { NAK, nakMeaning } from './nak.js';
export { CAPABILITY, receiveSize, type Capability } from './capabilities.js';
export * from './authentication.js';
export * from './biometrics.js';
export * from './extended-id.js';
export * from './file-transfer.js';
export * from './multipart.js';
export type { AuthenticationFragment, BiometricFragment, Fragment } from './multipart-codecs.js';
export { pivDataCommand, type PivObject, type SizedPivObject } from './piv-data.js';
export * from './smart-card.js';
export * from './tolerance.js';
export type { EncodedMessage } from './message.js';
export { keypadText } from './keypad.js';
export { createAcu, hasNormal, hasUrgent, nextTurnAtMs, step as stepAcu, type AcuState } from './acu-machine.js';
export * from './acu-types.js';
export type { OsdpErrorCode } from './error-codes.js';
export { createPd, nextTimeMs, step as stepPd, type PdState } from './pd-machine.js';
export * from './pd-types.js';
export { createMonitor, stepMonitor, type Monitored, type MonitorState } from './monitor.js';
export { codeName, replyText } from './monitor-text.js';
export * from './monitor-types.js';
export { EMPTY_SUMMARY, quantile, summarise, type HeardCounts, type MonitorSummary } from './monitor-summary.js';
export * from './osdpcap.js';
export { bytesToHex, hexToBytes } from './hex.js';
