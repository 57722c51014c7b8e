import {
  createPd,
  INPUT_STATUS,
  nextTimeMs,
  stepPd,
  type PdEffect,
  type PdEvent,
  type PdInput,
  type PdOptions,
  type PdState,
} from '@sparc/protocol/osdp';
import type { Clock, Random, Timer } from '@sparc/protocol/ports';
import type { LinePort, SerialLine } from '../world/index.js';
import { FACTORY_MEMORY, type DeviceMemory } from './device-memory.js';

/** A machine that is asked too early by a rounding error is asked again a little later, not at once. */
const TIMER_MIN_MS = 0.01;

/** Effects other than bytes: what the device does for whoever stands in front of it. */
export type PdSignal =
  Exclude<PdEffect, { kind: 'transmit' | 'communication' | 'output' }> | { readonly kind: 'powerLost' };

/** A PD machine with power, a place on a line and wires: the part every simulated device is made of. */
export class PdDevice {
  onChange: () => void = () => undefined;
  /** Address, rate or key have changed. */
  onMemory: (memory: DeviceMemory) => void = () => undefined;
  readonly #port: LinePort;
  readonly #watchers: ((signal: PdSignal) => void)[] = [];
  readonly #outputWires = new Map<number, (active: boolean) => void>();
  readonly #inputs = new Map<number, boolean>();
  #state: PdState;
  #timer: Timer | undefined;
  #powerOn: Timer | undefined;
  #powered = true;
  #secure = false;
  #tampered = false;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    line: SerialLine,
    readonly id: string,
    options: PdOptions,
  ) {
    this.#state = createPd(options);
    this.#port = line.attach(id, options.baudRate, (bytes) => {
      if (this.#powered) this.#step({ kind: 'bytes', nowMs: this.#nowMs(), bytes, rndB: this.random.bytes(8) });
    });
  }

  get powered(): boolean {
    return this.#powered;
  }

  /** A Secure Channel session is up. */
  get secure(): boolean {
    return this.#secure;
  }

  get tampered(): boolean {
    return this.#tampered;
  }

  get memory(): DeviceMemory {
    const { address, baudRate, scbk } = this.#state;
    return { address, baudRate, ...(scbk === undefined ? {} : { scbk }) };
  }

  get inputs(): ReadonlyMap<number, boolean> {
    return this.#inputs;
  }

  onSignal(watcher: (signal: PdSignal) => void): void {
    this.#watchers.push(watcher);
  }

  wireOutput(number: number, wire: (active: boolean) => void): void {
    this.#outputWires.set(number, wire);
  }

  /** The level at an input terminal. */
  setInput(number: number, active: boolean): void {
    if (this.#inputs.get(number) === active) return;
    this.#inputs.set(number, active);
    this.#reportInput(number, active);
    this.onChange();
  }

  report(event: PdEvent): void {
    if (this.#powered) this.#step({ kind: 'event', nowMs: this.#nowMs(), event });
  }

  /** The housing is opened or closed. */
  setTampered(tampered: boolean): void {
    if (tampered === this.#tampered) return;
    this.#tampered = tampered;
    this.report({ kind: 'tamper', tampered });
    this.onChange();
  }

  /** Answers the next commands with BUSY. */
  beBusy(count: number): void {
    if (this.#powered) this.#step({ kind: 'busy', nowMs: this.#nowMs(), count });
  }

  /** The cable to this device is pulled or put back. */
  setConnected(connected: boolean): void {
    this.#port.connected = connected && this.#powered;
    this.onChange();
  }

  /** Everything it drives drops at once; it comes back with its key and without a session. */
  powerCycle(offMs: number): void {
    this.#powered = false;
    this.#port.connected = false;
    this.#timer?.cancel();
    this.#powerOn?.cancel();
    this.#step({ kind: 'reset', nowMs: this.#nowMs() });
    this.#signal({ kind: 'powerLost' });
    this.#powerOn = this.clock.setTimer(offMs, () => this.#boot());
    this.onChange();
  }

  /** Key, address and rate are as delivered; the device starts again at once. */
  factoryReset(): void {
    this.#step({ kind: 'reset', nowMs: this.#nowMs() });
    this.#state = createPd({
      ...withoutKey(this.#state.options),
      ...FACTORY_MEMORY,
      requireSecureChannel: false,
      installMode: true,
    });
    this.#port.baudRate = FACTORY_MEMORY.baudRate;
    this.#signal({ kind: 'powerLost' });
    this.#reportAll();
    this.onMemory(this.memory);
    this.onChange();
  }

  #boot(): void {
    this.#powered = true;
    this.#port.connected = true;
    this.#step({ kind: 'reset', nowMs: this.#nowMs() });
    this.#reportAll();
    this.onChange();
  }

  #reportAll(): void {
    for (const [number, active] of this.#inputs) this.#reportInput(number, active);
    if (this.#tampered) this.report({ kind: 'tamper', tampered: true });
  }

  #reportInput(number: number, active: boolean): void {
    this.report({ kind: 'input', number, status: active ? INPUT_STATUS.active : INPUT_STATUS.inactive });
  }

  #nowMs(): number {
    return this.clock.monotonicMs();
  }

  #step(input: PdInput): void {
    const { state, effects } = stepPd(this.#state, input);
    this.#state = state;
    let replyDelayMs = 0;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'transmit':
          replyDelayMs = effect.delayMs;
          this.clock.setTimer(effect.delayMs, () => {
            if (this.#powered) this.#port.transmit(effect.bytes);
          });
          break;
        case 'communication':
          this.#switchRate(replyDelayMs, effect.baudRate);
          break;
        case 'output':
          this.#outputWires.get(effect.number)?.(effect.active);
          break;
        case 'session':
          this.#secure = effect.secure;
          this.#signal(effect);
          break;
        case 'key':
          // With a key of its own a device stops obeying in clear.
          this.#state = { ...this.#state, options: { ...this.#state.options, requireSecureChannel: true } };
          this.#signal(effect);
          break;
        case 'led':
        case 'buzzer':
        case 'text':
          this.#signal(effect);
          break;
      }
    }
    if (effects.some(({ kind }) => kind === 'key' || kind === 'communication')) this.onMemory(this.memory);
    if (effects.some(({ kind }) => kind !== 'transmit')) this.onChange();
    this.#schedule();
  }

  #signal(signal: PdSignal): void {
    for (const watcher of this.#watchers) watcher(signal);
  }

  /** COM leaves at the old rate (IEC 60839-11-5, COMSET). */
  #switchRate(replyDelayMs: number, baudRate: number): void {
    this.clock.setTimer(replyDelayMs, () => {
      this.clock.setTimer(this.#port.backlogMs(), () => {
        this.#port.baudRate = baudRate;
      });
    });
  }

  #schedule(): void {
    this.#timer?.cancel();
    const atMs = this.#powered ? nextTimeMs(this.#state) : undefined;
    if (atMs === undefined) return;
    this.#timer = this.clock.setTimer(Math.max(TIMER_MIN_MS, atMs - this.#nowMs()), () =>
      this.#step({ kind: 'time', nowMs: this.#nowMs() }),
    );
  }
}

function withoutKey({ scbk: _scbk, ...options }: PdOptions): Omit<PdOptions, 'scbk'> {
  return options;
}
