import type { EventDraft, EventRecord } from '@sparc/protocol/events';
import type { StandingMode } from '@sparc/protocol/policy';
import type { Clock, CommandOutcome, EntryId, FieldBus, Timer } from '@sparc/protocol/ports';
import { SparcError } from '@sparc/protocol/errors';
import { createDoor, nextDeadlineMs, step } from './door-machine.js';
import type { DoorSettings } from './door-settings.js';
import type { DoorEffect, DoorEvent, DoorInput, DoorState, Signal } from './door-state.js';

/** Where the lock hangs, and which readers show the state of the door. */
export interface DoorWiring {
  readonly id: string;
  readonly lock: { readonly deviceId: string; readonly outputNumber: number };
  readonly readers: readonly { readonly deviceId: string; readonly number: number }[];
}

/** Keeps a record whenever the journal can; resolves with its id, or undefined when it was lost. Never rejects. */
export type RecordEvent = (record: EventDraft, cause?: Promise<EntryId | undefined>) => Promise<EntryId | undefined>;

export interface DoorDeps {
  readonly clock: Clock;
  readonly fieldBus: Pick<FieldBus, 'setOutput' | 'indicate'>;
  readonly record: RecordEvent;
  readonly onChange: () => void;
}

/** The record behind a passage, and what its outcomes repeat of it. */
export interface PassageCause {
  readonly id: Promise<EntryId | undefined>;
  readonly subject: Pick<EventRecord, 'accessPointId' | 'credentialId' | 'holderId'>;
}

/** Drives one door: executes the effects of its machine, outputs first. */
export class Door {
  #state: DoorState;
  #nextCause = 1;
  /** Of the passages in course; as many as the machine keeps. */
  readonly #causes = new Map<number, PassageCause>();
  readonly #waiting = new Map<number, (outcome: CommandOutcome) => void>();
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;
  #retired = false;

  constructor(
    private wiring: DoorWiring,
    settings: DoorSettings,
    private readonly deps: DoorDeps,
  ) {
    this.#state = createDoor(settings);
  }

  get state(): DoorState {
    return this.#state;
  }

  /** The command leaves within this call. Resolves with what became of it; never rejects. */
  release(cause: PassageCause, ttlMs: number, extended = false): Promise<CommandOutcome> {
    if (this.#retired) {
      const error = new SparcError('ERR_GATEWAY_DOOR_RETIRED', `door ${this.wiring.id} is no longer driven`);
      return Promise.resolve({ kind: 'notExecuted', error });
    }
    const id = this.#nextCause++;
    this.#causes.set(id, cause);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#step({ kind: 'grant', nowMs: this.deps.clock.monotonicMs(), cause: id, ttlMs, extended });
    });
  }

  contact(signal: Signal): void {
    this.#step({ kind: 'contact', nowMs: this.deps.clock.monotonicMs(), signal });
  }

  exitRequest(signal: Signal): void {
    this.#step({ kind: 'exitRequest', nowMs: this.deps.clock.monotonicMs(), signal, cause: this.#nextCause++ });
  }

  /** Somebody leaves by a reader that asks nothing at the moment, as during a fire. */
  freeExit(): void {
    this.#step({ kind: 'freeExit', nowMs: this.deps.clock.monotonicMs(), cause: this.#nextCause++ });
  }

  /** A person has seen its forced alarm. */
  acknowledge(): void {
    this.#step({ kind: 'acknowledge', nowMs: this.deps.clock.monotonicMs() });
  }

  mode(standing: StandingMode): void {
    this.#step({ kind: 'mode', nowMs: this.deps.clock.monotonicMs(), standing });
  }

  lockDevice(online: boolean): void {
    this.#step({ kind: 'lockDevice', nowMs: this.deps.clock.monotonicMs(), online });
  }

  outputReport(energised: boolean): void {
    this.#step({ kind: 'outputReport', nowMs: this.deps.clock.monotonicMs(), energised });
  }

  /** A new revision; the lock, contact and exit request are wired as before. */
  configure(wiring: DoorWiring, settings: DoorSettings): void {
    this.wiring = wiring;
    this.#step({ kind: 'settings', nowMs: this.deps.clock.monotonicMs(), settings });
  }

  /** Shows the standing state again, after a reader came back. */
  restoreReader(deviceId: string, number: number): void {
    this.deps.fieldBus.indicate(deviceId, number, this.#state.announced);
  }

  /** Stops driving; a timed release ends in the device by itself. */
  stop(): void {
    this.#retired = true;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
  }

  /** The door is no longer of the site, or is wired anew: its lock is left locked. */
  retire(): void {
    this.stop();
    const kind = this.#state.settings.lockType === 'failSecure' ? 'off' : 'on';
    void this.#transmit({ kind: 'output', token: 0, action: { kind }, ttlMs: 10_000 });
  }

  #step(input: DoorInput): void {
    if (this.#retired) return;
    const { state, effects } = step(this.#state, input);
    this.#state = state;
    for (const effect of effects) if (effect.kind === 'output') this.#output(effect);
    for (const effect of effects) this.#execute(effect);
    if (this.#causes.size > 0) this.#forgetCauses();
    this.#arm();
    if (input.kind !== 'time' || effects.length > 0) this.deps.onChange();
  }

  #execute(effect: DoorEffect): void {
    switch (effect.kind) {
      case 'output':
        break;
      case 'event':
        this.#record(effect);
        break;
      case 'indicate':
        for (const { deviceId, number } of this.wiring.readers) {
          this.deps.fieldBus.indicate(deviceId, number, effect.indication);
        }
        break;
    }
  }

  #output(effect: Extract<DoorEffect, { kind: 'output' }>): void {
    void this.#transmit(effect).then((outcome) => {
      const waiting = effect.cause === undefined ? undefined : this.#waiting.get(effect.cause);
      if (effect.cause !== undefined) this.#waiting.delete(effect.cause);
      waiting?.(outcome);
      this.#step({ kind: 'outputResult', nowMs: this.deps.clock.monotonicMs(), token: effect.token, outcome });
    });
  }

  async #transmit(effect: Extract<DoorEffect, { kind: 'output' }>): Promise<CommandOutcome> {
    try {
      return await this.deps.fieldBus.setOutput({ ...this.wiring.lock, action: effect.action, ttlMs: effect.ttlMs });
    } catch (error) {
      const failure = new SparcError('ERR_GATEWAY_INTERNAL', 'the bus failed on an output', {}, { cause: error });
      return { kind: 'unknown', error: failure };
    }
  }

  #record({ kind: _kind, cause, ...event }: DoorEvent): void {
    const known = cause === undefined ? undefined : this.#causes.get(cause);
    const id = this.deps.record({ ...event, doorId: this.wiring.id, ...known?.subject }, known?.id);
    // What follows an exit refers to the record of its release.
    if (event.name === 'exit.released' && cause !== undefined) this.#causes.set(cause, { id, subject: {} });
  }

  #forgetCauses(): void {
    for (const cause of this.#causes.keys()) {
      if (!this.#state.passages.some((passage) => passage.cause === cause)) this.#causes.delete(cause);
    }
  }

  #arm(): void {
    const atMs = nextDeadlineMs(this.#state);
    if (this.#timer?.atMs === atMs) return;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    if (atMs === undefined) return;
    const nowMs = this.deps.clock.monotonicMs();
    const timer = this.deps.clock.setTimer(Math.max(0, atMs - nowMs), () => {
      this.#timer = undefined;
      this.#step({ kind: 'time', nowMs: this.deps.clock.monotonicMs() });
    });
    this.#timer = { atMs, timer };
  }
}
