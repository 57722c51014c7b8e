import type { SparcError } from '../errors/index.js';

export interface ByteLinkHandlers {
  /** The link can carry bytes now; called again after each reopening. */
  onOpen(): void;
  onData(bytes: Uint8Array): void;
  /** The link is gone or could not be opened; it goes on trying by itself. Repeated only when the reason changes. */
  onDown(error: SparcError): void;
}

/**
 * A half-duplex stream of bytes to a bus: serial line, TCP converter, pseudo-terminal or simulated line.
 * One contract suite (`test/contract/byte-link`) runs against every implementation.
 */
export interface ByteLink {
  /** For people: `serial /dev/ttyUSB0` or `tcp 192.0.2.1:4001`. */
  readonly name: string;
  /** Bits a second on the wire; behind a converter, what its configuration is said to be. */
  readonly baudRate: number;
  /** False where the far end sets the rate (TCP). */
  readonly canSetBaudRate: boolean;
  /** Once. Opens in the background and reopens with back-off for ever. */
  start(handlers: ByteLinkHandlers): void;
  /** Hands bytes over for transmission. Dropped silently while the link is down. */
  write(bytes: Uint8Array): void;
  /** Resolves when all written bytes have left and the new rate is in force; without effect where it cannot be set. */
  setBaudRate(baudRate: number): Promise<void>;
  /** Idempotent; no handler runs after it resolves. */
  stop(): Promise<void>;
}
