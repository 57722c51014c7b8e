import type { CodecErrorCode } from './codec-error.js';

/** Why a command, a session or a device failed; each is explained in the project's registry of errors. */
export type OsdpErrorCode =
  | CodecErrorCode
  | 'ERR_OSDP_SILENT'
  | 'ERR_OSDP_GARBLED'
  | 'ERR_OSDP_BUSY'
  | 'ERR_OSDP_LINE_DOWN'
  | 'ERR_OSDP_KEY_REJECTED'
  | 'ERR_OSDP_SECURE_UNSUPPORTED'
  | 'ERR_OSDP_SECURE_REQUIRED'
  | 'ERR_OSDP_SECURE_LOST'
  | 'ERR_OSDP_CLEAR_REPLY'
  | 'ERR_OSDP_ADDRESS_CONFLICT'
  | 'ERR_OSDP_RESTARTED'
  | 'ERR_OSDP_WINDOW_CLOSED'
  | 'ERR_OSDP_DEVIATION'
  | 'ERR_OSDP_DEADLINE'
  | 'ERR_OSDP_QUEUE_FULL'
  | 'ERR_OSDP_COMMAND_REFUSED'
  | 'ERR_OSDP_NAK'
  | 'ERR_OSDP_FILE_REFUSED'
  | 'ERR_OSDP_FILE_UNRECOGNISED'
  | 'ERR_OSDP_FILE_ABORTED'
  | 'ERR_OSDP_FILE_MALFORMED'
  | 'ERR_OSDP_FILE_STALLED';
