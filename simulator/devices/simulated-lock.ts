import type { Clock } from '@sparc/protocol/ports';

/** `failSecure`: power releases it. `failSafe`: power holds it. */
export type LockType = 'failSecure' | 'failSafe';

export interface LockMovement {
  readonly atMs: number;
  readonly released: boolean;
}

/** A strike or a magnet: one coil, and what it does to the leaf. */
export class SimulatedLock {
  /** Every change since the start: what a checker looks at, never the gateway's log. */
  readonly movements: LockMovement[] = [];
  onChange: () => void = () => undefined;
  #energised = false;

  constructor(
    readonly id: string,
    readonly type: LockType,
    private readonly clock: Clock,
  ) {}

  get energised(): boolean {
    return this.#energised;
  }

  get released(): boolean {
    return this.#energised === (this.type === 'failSecure');
  }

  setEnergised(energised: boolean): void {
    if (energised === this.#energised) return;
    this.#energised = energised;
    this.movements.push({ atMs: this.clock.monotonicMs(), released: this.released });
    this.onChange();
  }
}
