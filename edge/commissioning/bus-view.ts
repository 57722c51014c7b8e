import type { Finding } from './bus-findings.js';
import type { KeyState } from './operations.js';

/** Milliseconds; of the newest exchanges, not of all since the start. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What one reader's replies were like since the bus was opened. */
export interface DeviceHealthView {
  readonly deviceId: string;
  readonly address: number;
  readonly link: 'offline' | 'connecting' | 'online';
  readonly secure: boolean;
  readonly key: KeyState;
  /** From the last byte of a command to the last byte of its reply; undefined before the first reply. */
  readonly roundTripMs?: Quantiles;
  /** Frames sent to it, repeats included. */
  readonly sentCount: number;
  readonly retryCount: number;
  /** Commands that nothing answered in time. */
  readonly timeoutCount: number;
  /** Replies with a wrong CRC or checksum. */
  readonly badCheckCount: number;
  readonly naks: readonly { readonly code: number; readonly name: string; readonly count: number }[];
  readonly sessionStartCount: number;
  /** Sessions that were opened because an earlier one broke. */
  readonly sessionRestartCount: number;
}

/** The health of a bus as an installer reads it. */
export interface BusView {
  readonly id: string;
  readonly up: boolean;
  readonly baudRate: number;
  /** False behind a converter that keeps its own rate. */
  readonly canSetBaudRate: boolean;
  /** How long a full round over its readers takes by arithmetic. */
  readonly predictedPollPeriodMs: number;
  /** How long it takes; undefined before the first round. */
  readonly pollPeriodMs?: Quantiles;
  /** Part of the time in which the line carries bytes, 0 to 1. */
  readonly lineLoad: number;
  /** Bytes that belonged to no reply. */
  readonly strayBytesCount: number;
  /** The adapter hears what it sends. */
  readonly echo: boolean;
  readonly devices: readonly DeviceHealthView[];
}

/** The answer of `GET /api/buses`. */
export interface BusesView {
  readonly buses: readonly (BusView & { readonly findings: readonly Finding[] })[];
}
