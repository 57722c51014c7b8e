import {
  createPd,
  INPUT_STATUS,
  nextTimeMs,
  type PdEffect,
  type PdEvent,
  type PdInput,
  type PdOptions,
  type PdState,
} from '@sparc/protocol/osdp';
import type { Clock, Random, Timer } from '@sparc/protocol/ports';
import type { LinePort, SerialLine } from '../world/index.js';
import { DeviceBody } from './device-body.js';
import { FACTORY_MEMORY, type DeviceMemory } from './device-memory.js';
import { FirmwareSlot } from './firmware-slot.js';
import { FIRST_FIRMWARE } from './pd-profile.js';
import { quirkyOptions, QuirkSet, QuirkyPd, type ReaderQuirk } from './quirks/index.js';

/** A machine that is asked too early by a rounding error is asked again a little later, not at once. */
const TIMER_MIN_MS = 0.01;
/** From the start of a restart until the device hears again. */
const RESTART_MS = 1_500;
/** A device that restarts lets its last answer leave the line first. */
const LAST_WORD_MS = 1;

/** Effects other than bytes: what the device does for whoever stands in front of it. */
export type PdSignal =
  | Extract<PdEffect, { kind: 'led' | 'buzzer' | 'text' | 'key' | 'session' | 'timeSet' }>
  | { readonly kind: 'powerLost' };

/** A PD machine with power, a place on a line and wires: the part every simulated device is made of. */
export class PdDevice {
  onChange: () => void = () => undefined;
  /** Address, rate, key or firmware have changed. */
  onMemory: (memory: DeviceMemory) => void = () => undefined;
  /** Set `quirks` through `setQuirks`. */
  readonly quirks = new QuirkSet();
  readonly body: DeviceBody;
  readonly #machine: QuirkyPd;
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
    /** As it was made; what it is told later is in its memory. */
    private profile: PdOptions,
  ) {
    this.#state = createPd(profile);
    this.#machine = new QuirkyPd(this.quirks, random);
    this.body = new DeviceBody(clock, new FirmwareSlot(profile.id.model), (event) => this.report(event));
    this.#port = line.attach(id, profile.baudRate, (bytes) => {
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
    const { firmware } = this.profile.id;
    return {
      address,
      baudRate,
      ...(scbk === undefined ? {} : { scbk }),
      ...(firmware === FIRST_FIRMWARE ? {} : { firmware }),
    };
  }

  get inputs(): ReadonlyMap<number, boolean> {
    return this.#inputs;
  }

  /** Its end of the line, and the cable to it. */
  get stub(): Pick<LinePort, 'connected' | 'crossed' | 'faults'> {
    return this.#port;
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

  /** From now on. */
  setQuirks(quirks: Iterable<ReaderQuirk>): void {
    this.quirks.set(quirks);
    this.body.slowWithFiles = this.quirks.has('slowTransfer');
    this.#adopt();
    this.onChange();
  }

  /** The cable to this device is pulled or put back. */
  setConnected(connected: boolean): void {
    this.#port.connected = connected && this.#powered;
    this.onChange();
  }

  /** Everything it drives drops at once; it comes back with its memory and without a session. */
  powerCycle(offMs: number): void {
    this.#powered = false;
    this.#port.connected = false;
    this.#timer?.cancel();
    this.#powerOn?.cancel();
    this.#drop();
    this.#powerOn = this.clock.setTimer(offMs, () => this.#boot());
    this.onChange();
  }

  /** Forgets its key; address and rate are as its maker delivers it, or as its switches are set. It starts again at once. */
  factoryReset({ address, baudRate }: Pick<DeviceMemory, 'address' | 'baudRate'> = FACTORY_MEMORY): void {
    this.#drop();
    const { scbk: _scbk, ...profile } = this.profile;
    this.#state = createPd({ ...profile, address, baudRate, installMode: true });
    this.#port.baudRate = baudRate;
    this.#boot();
    this.onMemory(this.memory);
  }

  #drop(): void {
    this.body.stop();
    this.#step({ kind: 'reset', nowMs: this.#nowMs() });
    this.#signal({ kind: 'powerLost' });
  }

  #boot(): void {
    this.#powered = true;
    this.#port.connected = true;
    this.#startFirmware();
    this.#adopt();
    this.#step({ kind: 'reset', nowMs: this.#nowMs() });
    for (const [number, active] of this.#inputs) this.#reportInput(number, active);
    if (this.#tampered) this.report({ kind: 'tamper', tampered: true });
    this.onChange();
  }

  #startFirmware(): void {
    const { id } = this.profile;
    if (this.quirks.shows('wrongSerialAfterSwap'))
      this.profile = { ...this.profile, id: { ...id, serial: id.serial + 1 } };
    const firmware = this.body.files.takeNext();
    if (firmware === undefined) return;
    this.profile = { ...this.profile, id: { ...this.profile.id, firmware } };
    this.onMemory(this.memory);
  }

  /** The machine goes by what the device is now: with a key of its own it stops obeying in clear. */
  #adopt(): void {
    const options = { ...this.profile, requireSecureChannel: this.#state.scbk !== undefined };
    this.#state = { ...this.#state, options: quirkyOptions(options, this.quirks) };
  }

  #reportInput(number: number, active: boolean): void {
    this.report({ kind: 'input', number, status: active ? INPUT_STATUS.active : INPUT_STATUS.inactive });
  }

  #nowMs(): number {
    return this.clock.monotonicMs();
  }

  #step(input: PdInput): void {
    const { state, effects } = this.#machine.step(this.#state, input);
    this.#state = state;
    let replyDelayMs = 0;
    for (const effect of effects) {
      if (effect.kind === 'transmit') replyDelayMs = effect.delayMs;
      this.#act(effect, replyDelayMs);
    }
    if (effects.some(({ kind }) => kind === 'key' || kind === 'communication')) this.onMemory(this.memory);
    if (effects.some(({ kind }) => kind !== 'transmit')) this.onChange();
    this.#schedule();
  }

  #act(effect: PdEffect, replyDelayMs: number): void {
    switch (effect.kind) {
      case 'transmit':
        this.clock.setTimer(effect.delayMs, () => {
          if (this.#powered) this.#port.transmit(effect.bytes);
        });
        return;
      case 'communication':
        return this.#afterReply(replyDelayMs, () => (this.#port.baudRate = effect.baudRate));
      case 'reboot':
        return this.#afterReply(replyDelayMs, () =>
          this.clock.setTimer(LAST_WORD_MS, () => this.powerCycle(RESTART_MS)),
        );
      case 'output':
        return this.#outputWires.get(effect.number)?.(effect.active);
      case 'session':
        this.#secure = effect.secure;
        return this.#signal(effect);
      case 'key':
        this.#adopt();
        return this.#signal(effect);
      case 'led':
      case 'buzzer':
      case 'text':
      case 'timeSet':
        return this.#signal(effect);
      case 'biometricRequest':
      case 'pivDataRequest':
      case 'authenticate':
      case 'smartCard':
      case 'manufacturer':
      case 'file':
      case 'abort':
        return this.body.act(effect);
      case 'keepActive':
        // The chip of a simulated card never tires.
        return;
    }
  }

  #signal(signal: PdSignal): void {
    for (const watcher of this.#watchers) watcher(signal);
  }

  /** COM leaves at the old rate (IEC 60839-11-5, COMSET). */
  #afterReply(replyDelayMs: number, act: () => void): void {
    this.clock.setTimer(replyDelayMs, () => this.clock.setTimer(this.#port.backlogMs(), act));
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
