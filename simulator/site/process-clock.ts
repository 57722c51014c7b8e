import type { Clock, Timer, WallTime } from '@sparc/protocol/ports';

/** The clock of one process: it sees the machine's wall time, and after a kill none of its timers ever runs. */
export class ProcessClock implements Clock {
  #alive = true;

  constructor(
    private readonly world: Clock,
    private readonly machineWall: () => WallTime,
  ) {}

  monotonicMs(): number {
    return this.world.monotonicMs();
  }

  wall(): WallTime {
    return this.machineWall();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.world.setTimer(delayMs, () => {
      if (this.#alive) callback();
    });
  }

  kill(): void {
    this.#alive = false;
  }
}
