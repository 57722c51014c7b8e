import type { EventDraft, EventName } from '@sparc/protocol/events';
import type { Input } from '@sparc/protocol/policy';
import type { Clock, InputChange, InputState, Timer } from '@sparc/protocol/ports';

type Purpose = NonNullable<Input['purpose']>;

/** Recorded when an input of that purpose becomes active, and when it ends being so. A fire alarm's are the mode's matter. */
const PURPOSE_EVENTS = {
  mainsFailure: ['power.mains_failed', 'power.mains_restored'],
  batteryLow: ['power.battery_low', 'power.battery_restored'],
  cabinetTamper: ['cabinet.tamper', 'cabinet.tamper_clear'],
  watchdog: ['watchdog.alarm', 'watchdog.restored'],
} as const satisfies Record<Exclude<Purpose, 'fireAlarm'>, readonly [active: EventName, inactive: EventName]>;
type InputEvent = 'input.fault' | 'input.restored' | (typeof PURPOSE_EVENTS)[keyof typeof PURPOSE_EVENTS][number];

/** An input with `activeWhen` applied; a fault of its wiring is neither. */
export type InputSignal = 'active' | 'inactive' | 'fault';

export interface SiteInputsDeps {
  readonly clock: Clock;
  readonly record: (event: EventDraft) => unknown;
  /** A state that lasted, as the device says it: `activeWhen` is not applied. */
  readonly settled: (change: InputChange) => void;
  /** An input says something else than it last did; what its device says first after a start is no change. */
  readonly changed: (inputId: string, signal: InputSignal) => void;
  readonly fireInput: (inputId: string, active: boolean) => void;
}

interface Pending {
  readonly state: InputState;
  readonly timer: Timer;
}

/**
 * All inputs of the site: a state counts when it lasted for the input's debounce time, and what an input without a door
 * tells is recorded. An input in fault is neither active nor inactive (access-control 4.6).
 */
export class SiteInputs {
  #inputs: ReadonlyMap<string, Input> = new Map();
  /** Settled states, by port. */
  readonly #settled = new Map<string, InputState>();
  /** What inputs last said, by id, also while their device is away. */
  readonly #last = new Map<string, InputSignal>();
  readonly #pending = new Map<string, Pending>();
  /** Ids of inputs that were last heard of as active, in the sense of their purpose. */
  readonly #active = new Set<string>();

  constructor(private readonly deps: SiteInputsDeps) {}

  /** What an input that has a new meaning says already counts in that meaning. */
  configure(inputs: readonly Input[]): void {
    const before = this.#inputs;
    this.#inputs = new Map(inputs.map((input) => [portOf(input.device, input.number), input]));
    for (const [port, old] of before) {
      if (meaningOf(this.#inputs.get(port)) === meaningOf(old)) continue;
      this.#active.delete(old.id);
      this.#last.delete(old.id);
      if (old.purpose === 'fireAlarm') this.deps.fireInput(old.id, false);
    }
    for (const [port, input] of this.#inputs) {
      const state = this.#settled.get(port);
      if (state === undefined || input.purpose === undefined || meaningOf(before.get(port)) === meaningOf(input))
        continue;
      this.#tell(input, input.purpose, undefined, state);
    }
  }

  /** Undefined while it is not known. */
  signal(inputId: string): InputSignal | undefined {
    for (const [port, input] of this.#inputs) if (input.id === inputId) return signalOf(input, this.#settled.get(port));
    return undefined;
  }

  onInput(change: InputChange): void {
    const port = portOf(change.deviceId, change.inputNumber);
    const pending = this.#pending.get(port);
    if (pending?.state === change.state) return;
    pending?.timer.cancel();
    this.#pending.delete(port);
    const debounceMs = this.#inputs.get(port)?.debounceMs ?? 0;
    const settled = this.#settled.get(port);
    if (settled === change.state) return;
    // The first word of a device is the state it is in, and needs no time to settle.
    if (debounceMs === 0 || settled === undefined) return this.#settle(port, change);
    const timer = this.deps.clock.setTimer(debounceMs, () => {
      this.#pending.delete(port);
      this.#settle(port, change);
    });
    this.#pending.set(port, { state: change.state, timer });
  }

  /** The device is away: a fire it reported stays latched, and a person may end it. */
  forget(deviceId: string): void {
    for (const [port, pending] of [...this.#pending]) {
      if (!port.startsWith(`${deviceId}#`)) continue;
      pending.timer.cancel();
      this.#pending.delete(port);
    }
    for (const port of [...this.#settled.keys()]) {
      if (!port.startsWith(`${deviceId}#`)) continue;
      this.#settled.delete(port);
      const input = this.#inputs.get(port);
      if (input?.purpose === 'fireAlarm') this.deps.fireInput(input.id, false);
    }
  }

  stop(): void {
    for (const { timer } of this.#pending.values()) timer.cancel();
    this.#pending.clear();
  }

  #settle(port: string, change: InputChange): void {
    const before = this.#settled.get(port);
    this.#settled.set(port, change.state);
    this.deps.settled(change);
    const input = this.#inputs.get(port);
    if (input?.purpose !== undefined) this.#tell(input, input.purpose, before, change.state);
    const signal = input && signalOf(input, change.state);
    if (input === undefined || signal === undefined) return;
    const last = this.#last.get(input.id);
    this.#last.set(input.id, signal);
    if (last !== undefined && last !== signal) this.deps.changed(input.id, signal);
  }

  #tell(input: Input, purpose: Purpose, before: InputState | undefined, state: InputState): void {
    const record = (name: InputEvent) =>
      this.deps.record({ name, deviceId: input.device, detail: { input: input.id, state } });
    const wasFault = isFault(before);
    if (isFault(state) && !wasFault) record('input.fault');
    if (!isFault(state) && wasFault && state !== 'unknown') record('input.restored');
    if (state !== 'active' && state !== 'inactive') return;
    const isActive = state === input.activeWhen;
    const wasActive = this.#active.has(input.id);
    if (isActive) this.#active.add(input.id);
    else this.#active.delete(input.id);
    if (purpose === 'fireAlarm') this.deps.fireInput(input.id, isActive);
    else if (isActive !== wasActive) record(PURPOSE_EVENTS[purpose][isActive ? 0 : 1]);
  }
}

const meaningOf = (input: Input | undefined): string => JSON.stringify([input?.id, input?.purpose, input?.activeWhen]);
const portOf = (deviceId: string, number: number): string => `${deviceId}#${number}`;

function signalOf({ activeWhen }: Input, state: InputState | undefined): InputSignal | undefined {
  if (isFault(state)) return 'fault';
  if (state !== 'active' && state !== 'inactive') return undefined;
  return state === activeWhen ? 'active' : 'inactive';
}

const isFault = (state: InputState | undefined): boolean => state === 'short' || state === 'open' || state === 'fault';
