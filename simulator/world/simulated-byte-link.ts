import { SparcError } from '@sparc/protocol/errors';
import type { ByteLink, ByteLinkHandlers, Clock } from '@sparc/protocol/ports';
import type { LinePort, SerialLine } from './serial-line.js';

/** How long an adapter takes to be usable. */
const OPEN_MS = 5;

/** The ACU's end of a simulated line: an adapter that can be unplugged. */
export class SimulatedByteLink implements ByteLink {
  readonly canSetBaudRate = true;
  readonly #port: LinePort;
  #handlers: ByteLinkHandlers | undefined;
  #plugged = true;
  #open = false;

  constructor(
    private readonly clock: Clock,
    line: SerialLine,
    readonly name: string,
    baudRate: number,
  ) {
    this.#port = line.attach(name, baudRate, (bytes) => {
      if (this.#open) this.#handlers?.onData(bytes);
    });
  }

  get baudRate(): number {
    return this.#port.baudRate;
  }

  start(handlers: ByteLinkHandlers): void {
    this.#handlers = handlers;
    if (this.#plugged) this.#openSoon();
    else this.#down();
  }

  write(bytes: Uint8Array): void {
    if (this.#open) this.#port.transmit(bytes);
  }

  setBaudRate(baudRate: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimer(this.#port.backlogMs(), () => {
        this.#port.baudRate = baudRate;
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    this.#handlers = undefined;
    this.#open = false;
  }

  unplug(): void {
    if (!this.#plugged) return;
    this.#plugged = false;
    this.#open = false;
    this.#port.connected = false;
    this.#down();
  }

  plugIn(): void {
    if (this.#plugged) return;
    this.#plugged = true;
    this.#port.connected = true;
    if (this.#handlers) this.#openSoon();
  }

  #down(): void {
    this.#handlers?.onDown(new SparcError('ERR_BUS_DEVICE_UNPLUGGED', `${this.name} is unplugged`));
  }

  #openSoon(): void {
    this.clock.setTimer(OPEN_MS, () => {
      if (!this.#plugged || this.#open || !this.#handlers) return;
      this.#open = true;
      this.#handlers.onOpen();
    });
  }
}
