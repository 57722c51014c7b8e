import { SerialLink } from '@sparc/firmware-bridges/osdp';
import { BUFFERED_INTER_CHARACTER_TIMEOUT_MS, decodeFrame, FrameParser } from '@sparc/protocol/osdp';
import { BAUD_RATE } from '../conformance/libosdp-line.js';
import { eventually } from '../support/peers.js';
import { systemClock } from '../support/system-clock.js';

/** Codes of commands and replies, which stay readable inside Secure Channel. */
const CHLNG = 0x76;
const RMAC_I = 0x78;
const FILETRANSFER = 0x7c;
const FTSTAT = 0x7a;

/** Between an ACU and a PD on pseudo-terminals: passes every byte on and notes when what went by. */
export class RelayedWire {
  /** From CHLNG to the R-MAC_I that answers it. */
  readonly handshakesMs: number[] = [];
  #challengedMs = NaN;
  #transferBeganMs = NaN;
  #transferEndedMs = NaN;
  #commandsCount = 0;

  private constructor(
    private readonly acu: SerialLink,
    private readonly pd: SerialLink,
  ) {}

  static async open(acuPath: string, pdPath: string): Promise<RelayedWire> {
    const [acu, pd] = [acuPath, pdPath].map((path) => new SerialLink(systemClock, { path, baudRate: BAUD_RATE }));
    if (acu === undefined || pd === undefined) throw new RangeError('two ends');
    const wire = new RelayedWire(acu, pd);
    let openCount = 0;
    const relay = (from: SerialLink, to: SerialLink, note: (code: number, atMs: number) => void) => {
      const parser = new FrameParser(BUFFERED_INTER_CHARACTER_TIMEOUT_MS);
      from.start({
        onOpen: () => (openCount += 1),
        onDown: () => undefined,
        onData: (bytes) => {
          const atMs = performance.now();
          to.write(bytes);
          for (const whole of parser.push(bytes, atMs)) {
            const frame = decodeFrame(whole);
            if (frame.ok) note(frame.value.code, atMs);
          }
        },
      });
    };
    relay(acu, pd, (code, atMs) => wire.#commanded(code, atMs));
    relay(pd, acu, (code, atMs) => wire.#replied(code, atMs));
    await eventually('both ends are open', () => openCount === 2);
    return wire;
  }

  forgetTransfer(): void {
    this.#transferBeganMs = NaN;
    this.#commandsCount = 0;
  }

  /** Since it was last forgotten: from the first command to the last answer. */
  transfer(): { readonly durationMs: number; readonly commandsCount: number } {
    return { durationMs: this.#transferEndedMs - this.#transferBeganMs, commandsCount: this.#commandsCount };
  }

  async close(): Promise<void> {
    await Promise.all([this.acu.stop(), this.pd.stop()]);
  }

  #commanded(code: number, atMs: number): void {
    if (code === CHLNG) this.#challengedMs = atMs;
    if (code !== FILETRANSFER) return;
    if (Number.isNaN(this.#transferBeganMs)) this.#transferBeganMs = atMs;
    this.#commandsCount += 1;
  }

  #replied(code: number, atMs: number): void {
    if (code === RMAC_I) this.handshakesMs.push(atMs - this.#challengedMs);
    if (code === FTSTAT) this.#transferEndedMs = atMs;
  }
}
