import type { Clock, Timer } from '@sparc/protocol/ports';

/** Changes closer together than this are one. */
const CHANGE_PAUSE_MS = 50;

/** Tells a listener that something changed, at most once in `CHANGE_PAUSE_MS`. */
export class ChangeNotice {
  #pause: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly onChange: (() => void) | undefined,
  ) {}

  readonly changed = (): void => {
    const { onChange } = this;
    if (onChange === undefined || this.#pause !== undefined) return;
    this.#pause = this.clock.setTimer(CHANGE_PAUSE_MS, () => {
      this.#pause = undefined;
      onChange();
    });
  };

  stop(): void {
    this.#pause?.cancel();
  }
}
