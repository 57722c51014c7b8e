const WINDOW_MS = 10_000;

/** The part of the time that something was in use, over the last 10 to 20 s. */
export class LoadMeter {
  #startMs: number;
  #busyMs = 0;
  #before = { busyMs: 0, lastedMs: 0 };

  constructor(nowMs: number) {
    this.#startMs = nowMs;
  }

  add(busyMs: number, nowMs: number): void {
    this.#turnWindow(nowMs);
    this.#busyMs += busyMs;
  }

  /** 0 to 1. */
  read(nowMs: number): number {
    this.#turnWindow(nowMs);
    const lastedMs = nowMs - this.#startMs + this.#before.lastedMs;
    return lastedMs <= 0 ? 0 : Math.min(1, (this.#busyMs + this.#before.busyMs) / lastedMs);
  }

  #turnWindow(nowMs: number): void {
    const lastedMs = nowMs - this.#startMs;
    if (lastedMs < WINDOW_MS) return;
    this.#before = { busyMs: this.#busyMs, lastedMs };
    this.#busyMs = 0;
    this.#startMs = nowMs;
  }
}
