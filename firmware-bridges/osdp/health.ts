/** Counters of one device since the start of its bus. */
export interface DeviceHealth {
  /** Frames sent, repeats included. */
  readonly transmissions: number;
  /** Those of them that were POLL. */
  readonly polls: number;
  /** Frames sent again, byte-identical. */
  readonly retries: number;
  /** Turns that ended with an accepted reply. */
  readonly replies: number;
  /** Turns that ended without one. */
  readonly timeouts: number;
  /** Turns in which bytes came, but no frame with a good check. */
  readonly badChecks: number;
  /** NAKs to commands and polls, by error code. */
  readonly naks: Readonly<Record<number, number>>;
  /** Times that Secure Channel came up. */
  readonly sessionStarts: number;
  /** Card data in a form that this gateway does not read. */
  readonly unsupportedReplies: number;
  /** From the first byte of a command to the last byte of its reply, line time included. */
  readonly roundTripLastMs: number;
  readonly roundTripMaxMs: number;
}

export interface BusHealth {
  readonly busId: string;
  readonly link: string;
  readonly up: boolean;
  /** Received bytes that belonged to no reply. */
  readonly strayBytes: number;
  /** By device id. */
  readonly devices: Readonly<Record<string, DeviceHealth>>;
}
