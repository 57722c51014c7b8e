import type { ErrorCode } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import type { UplinkState } from '../uplink/index.js';

/** After it was told that messages are not the cloud's, it is told again no sooner. */
export const CLOUD_REFUSALS_TOLD_EVERY_MS = 3_600_000;

/** Since they were told last, and why the last one was refused. */
export interface CloudRefusal {
  readonly code: ErrorCode;
  readonly count: number;
}

/** Tells that what comes over the link to the cloud is not the cloud's, at a pace that no attacker sets. */
export class CloudRefusals {
  #toldCount = 0;
  #toldAtMs = -Infinity;

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    private readonly tell: (refused: CloudRefusal) => void,
  ) {}

  /** Once in a while. */
  look({ refusedCount, refusedCode }: Pick<UplinkState, 'refusedCount' | 'refusedCode'>): void {
    if (refusedCode === undefined || refusedCount === this.#toldCount) return;
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#toldAtMs < CLOUD_REFUSALS_TOLD_EVERY_MS) return;
    const count = refusedCount - this.#toldCount;
    this.#toldCount = refusedCount;
    this.#toldAtMs = nowMs;
    this.tell({ code: refusedCode, count });
  }
}
