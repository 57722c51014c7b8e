import type { ErrorCode } from '@sparc/protocol/errors';

/** More than any exchange can bring; what exceeds it before the next turn is dropped unread. */
const BYTES_PER_TURN_MAX = 4_096;
/** Bytes outside replies within a window that make a line a babbling one; noise when the direction turns is far less. */
const STRAY_BYTES_MAX = 512;
const WINDOW_MS = 1_000;
const ALARM_INTERVAL_MS = 60_000;
/** A surplus answer weighs this much against proper ones, of which each takes one off: a rare echo is no alarm. */
const SURPLUS_WEIGHT = 3;
const SUSPICION_MAX = 12;
/** Answers that never came are forgotten: they must not excuse surplus ones for ever. */
const QUESTIONS_MAX = 3;

export type LineAlarm = (code: ErrorCode, message: string, address?: number) => void;

/** Bounds what a line brings unasked, and notices babblers and shared addresses. */
export class LineWatch {
  strayBytes = 0;
  #bytesInTurn = 0;
  #window = { startMs: -Infinity, strayBytes: 0 };
  readonly #addresses = new Map<number, { questions: number; suspicion: number }>();
  readonly #alarmedAtMs = new Map<string, number>();

  constructor(private readonly alarm: LineAlarm) {}

  /** A frame goes to the address. */
  asked(address: number): void {
    this.#bytesInTurn = 0;
    const record = this.#address(address);
    record.questions = Math.min(record.questions + 1, QUESTIONS_MAX);
  }

  /** The part of the received bytes that is looked at. */
  admit(bytes: Uint8Array): Uint8Array {
    const admitted = bytes.subarray(0, Math.max(0, BYTES_PER_TURN_MAX - this.#bytesInTurn));
    this.#bytesInTurn += bytes.length;
    return admitted;
  }

  /** Bytes that belonged to no reply of the device whose turn it was. */
  stray(count: number, nowMs: number): void {
    this.strayBytes += count;
    if (nowMs - this.#window.startMs > WINDOW_MS) this.#window = { startMs: nowMs, strayBytes: 0 };
    this.#window.strayBytes += count;
    if (this.#window.strayBytes > STRAY_BYTES_MAX) {
      this.#alarmSeldom(nowMs, 'ERR_BUS_BABBLING', 'bytes that belong to no reply keep coming');
    }
  }

  /** A frame came from the address. More of them than it was asked for come from two devices. */
  answered(address: number, nowMs: number): void {
    const record = this.#address(address);
    if (record.questions > 0) {
      record.questions -= 1;
      record.suspicion = Math.max(0, record.suspicion - 1);
      return;
    }
    record.suspicion = Math.min(record.suspicion + SURPLUS_WEIGHT, SUSPICION_MAX);
    if (record.suspicion === SUSPICION_MAX) {
      this.#alarmSeldom(
        nowMs,
        'ERR_OSDP_ADDRESS_CONFLICT',
        `address ${address} answers more often than asked`,
        address,
      );
    }
  }

  /** Card data came that this gateway does not read. */
  unsupported(address: number, nowMs: number): void {
    this.#alarmSeldom(nowMs, 'ERR_BUS_CARD_DATA_UNSUPPORTED', 'card data in an unknown form was ignored', address);
  }

  #address(address: number): { questions: number; suspicion: number } {
    const record = this.#addresses.get(address) ?? { questions: 0, suspicion: 0 };
    this.#addresses.set(address, record);
    return record;
  }

  #alarmSeldom(nowMs: number, code: ErrorCode, message: string, address?: number): void {
    const key = `${code} ${address}`;
    if (nowMs - (this.#alarmedAtMs.get(key) ?? -Infinity) < ALARM_INTERVAL_MS) return;
    this.#alarmedAtMs.set(key, nowMs);
    this.alarm(code, message, address);
  }
}
