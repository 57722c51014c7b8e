import type { Clock, OutputAction, Timer } from '@sparc/protocol/ports';
import type { Terminals } from '../devices/index.js';

interface Output {
  permanent: boolean;
  timed: boolean | undefined;
  timer: Timer | undefined;
}

/** A device by what it does, without frames: outputs with timers of their own, inputs, power. */
export class CardLevelDevice implements Terminals {
  onInput: (number: number, active: boolean) => void = () => undefined;
  /** With power, or without. */
  onPower: (powered: boolean) => void = () => undefined;
  readonly inputs = new Map<number, boolean>();
  readonly #outputs = new Map<number, Output>();
  readonly #wires = new Map<number, (active: boolean) => void>();
  #powered = true;
  #powerOn: Timer | undefined;

  constructor(
    readonly id: string,
    private readonly clock: Clock,
  ) {}

  get powered(): boolean {
    return this.#powered;
  }

  wireOutput(number: number, wire: (active: boolean) => void): void {
    this.#wires.set(number, wire);
  }

  setInput(number: number, active: boolean): void {
    if (this.inputs.get(number) === active) return;
    this.inputs.set(number, active);
    if (this.#powered) this.onInput(number, active);
  }

  /** True while the output's coil is energised. */
  active(number: number): boolean {
    const output = this.#outputs.get(number);
    return output?.timed ?? output?.permanent ?? false;
  }

  wiredOutputs(): Iterable<number> {
    return this.#wires.keys();
  }

  drive(number: number, action: OutputAction): void {
    const output = this.#outputs.get(number) ?? { permanent: false, timed: undefined, timer: undefined };
    this.#outputs.set(number, output);
    output.timer?.cancel();
    output.timed = undefined;
    switch (action.kind) {
      case 'on':
      case 'off':
        output.permanent = action.kind === 'on';
        break;
      case 'onFor':
      case 'offFor':
        output.timed = action.kind === 'onFor';
        output.timer = this.clock.setTimer(action.durationMs, () => {
          output.timed = undefined;
          this.#wires.get(number)?.(this.active(number));
        });
        break;
    }
    this.#wires.get(number)?.(this.active(number));
  }

  powerCycle(offMs: number): void {
    this.#powered = false;
    this.#powerOn?.cancel();
    for (const [number, output] of this.#outputs) {
      output.timer?.cancel();
      this.#outputs.delete(number);
      this.#wires.get(number)?.(false);
    }
    this.onPower(false);
    this.#powerOn = this.clock.setTimer(offMs, () => {
      this.#powered = true;
      this.onPower(true);
    });
  }
}
