import type { Quantiles } from './quantiles.js';

/** What one device was like since it was put on its bus. */
export interface DeviceHealth {
  readonly deviceId: string;
  readonly address: number;
  readonly link: 'offline' | 'connecting' | 'online';
  readonly secure: boolean;
  /** From the last byte of a command to the last byte of its reply, line time included; undefined before the first. */
  readonly roundTripMs?: Quantiles;
  /** Frames sent, repeats included. */
  readonly sentCount: number;
  /** Those of them that were POLL. */
  readonly pollCount: number;
  /** Frames sent again, byte-identical. */
  readonly retryCount: number;
  /** Turns that ended with an accepted reply. */
  readonly replyCount: number;
  /** Turns that ended without one. */
  readonly timeoutCount: number;
  /** Turns in which bytes came, but no frame with a good check. */
  readonly badCheckCount: number;
  /** NAKs to commands and polls. */
  readonly naks: readonly { readonly code: number; readonly name: string; readonly count: number }[];
  /** Times that Secure Channel came up. */
  readonly sessionStartCount: number;
  /** Those of them that followed a session which broke. */
  readonly sessionRestartCount: number;
  /** Card data in a form that this gateway does not read. */
  readonly unsupportedReplyCount: number;
}

export interface BusHealth {
  readonly busId: string;
  readonly link: string;
  readonly up: boolean;
  /** Bits a second. */
  readonly baudRate: number;
  /** False behind a converter that keeps its own rate. */
  readonly canSetBaudRate: boolean;
  /** Of a round over all devices, by arithmetic: {@link predictedPollPeriodMs}. */
  readonly predictedPollPeriodMs: number;
  /** Between two answered polls of one device, over all that are online; undefined before the first. */
  readonly pollPeriodMs?: Quantiles;
  /** Part of the time in which a frame or its reply was awaited on the line, 0 to 1, over the last seconds. */
  readonly lineLoad: number;
  /** Received bytes that belonged to no reply. */
  readonly strayBytesCount: number;
  /** The adapter hears what it sends. */
  readonly echo: boolean;
  readonly devices: readonly DeviceHealth[];
}
