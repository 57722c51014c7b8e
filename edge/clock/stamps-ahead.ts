import type { EventDraft } from '@sparc/protocol/events';
import { HLC_TOLERATED_MAX_MS, type Hlc } from '@sparc/protocol/hlc';
import type { Clock } from '@sparc/protocol/ports';

/** It is told so often of one gateway. */
export const STAMPS_AHEAD_PAUSE_MS = 3_600_000;

export interface StampsAheadDeps {
  readonly clock: Clock;
  readonly record: (event: EventDraft) => unknown;
}

/** Tells of gateways whose stamps are too far ahead to be followed: one of the two clocks is wrong. */
export class StampsAhead {
  /** By author, on the monotonic clock. */
  readonly #toldAtMs = new Map<string, number>();

  constructor(private readonly deps: StampsAheadDeps) {}

  /** A stamp of another gateway. */
  look(author: string, { unixMs }: Hlc): void {
    const { clock, record } = this.deps;
    const aheadMs = unixMs - clock.wall().unixMs;
    if (aheadMs <= HLC_TOLERATED_MAX_MS) return;
    const nowMs = clock.monotonicMs();
    if (nowMs - (this.#toldAtMs.get(author) ?? -Infinity) < STAMPS_AHEAD_PAUSE_MS) return;
    this.#toldAtMs.set(author, nowMs);
    record({ name: 'clock.stamps_ahead', detail: { gateway: author, aheadMs: String(Math.round(aheadMs)) } });
  }
}
