import type { Clock, FieldBus, Indication, Timer } from '@sparc/protocol/ports';
import { portKey } from './site-index.js';

/** How long a momentary indication counts as shown, in the snapshot. */
const MOMENTARY_MS = 2_000;

interface Shown {
  readonly standing: Indication;
  readonly momentary?: { readonly indication: Indication; readonly untilMs: number };
}

/** What each reader was last told to show. */
export class Indicator {
  readonly #shown = new Map<string, Shown>();
  #fallBack: Timer | undefined;

  constructor(
    private readonly deps: {
      readonly clock: Clock;
      readonly fieldBus: Pick<FieldBus, 'indicate'>;
      readonly onChange: () => void;
    },
  ) {}

  readonly indicate = (deviceId: string, readerNumber: number, indication: Indication): void => {
    const key = portKey(deviceId, readerNumber);
    const { clock } = this.deps;
    if (indication === 'locked' || indication === 'unlocked') {
      this.#shown.set(key, { standing: indication });
    } else {
      const untilMs = clock.monotonicMs() + MOMENTARY_MS;
      const standing = this.#shown.get(key)?.standing ?? 'locked';
      this.#shown.set(key, { standing, momentary: { indication, untilMs } });
      this.#fallBack?.cancel();
      this.#fallBack = clock.setTimer(MOMENTARY_MS, this.deps.onChange);
    }
    this.deps.onChange();
    this.deps.fieldBus.indicate(deviceId, readerNumber, indication);
  };

  stop(): void {
    this.#fallBack?.cancel();
  }

  shownAt(deviceId: string, readerNumber: number): Indication | undefined {
    const shown = this.#shown.get(portKey(deviceId, readerNumber));
    if (shown?.momentary !== undefined && this.deps.clock.monotonicMs() < shown.momentary.untilMs) {
      return shown.momentary.indication;
    }
    return shown?.standing;
  }
}
