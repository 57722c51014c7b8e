import type { EventDraft, EventRecord } from '@sparc/protocol/events';
import type { StandingMode } from '@sparc/protocol/policy';
import type { Clock, CommandOutcome, EntryId, FieldBus, Timer } from '@sparc/protocol/ports';
import { SparcError } from '@sparc/protocol/errors';
import { createDoor, nextDeadlineMs, step } from './door-machine.js';
import type { DoorSettings } from './door-settings.js';
import {
  OUTPUT_ROLES,
  type DoorEffect,
  type DoorEvent,
  type DoorInput,
  type DoorState,
  type Masks,
  type OutputRole,
  type Passage,
  type Signal,
} from './door-state.js';
import { OutputQueue } from './output-queue.js';

interface OutputPort {
  readonly deviceId: string;
  readonly outputNumber: number;
}

/** Where lock, shunt and double lock hang, and which readers show the state of the door. */
export interface DoorWiring {
  readonly id: string;
  readonly outputs: { readonly lock: OutputPort } & Readonly<Partial<Record<OutputRole, OutputPort>>>;
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
  /** Those who pass on the same release: each outcome is recorded for them too. */
  readonly companions?: readonly Omit<PassageCause, 'companions'>[];
}

/** How a release differs from that of anybody who comes in. */
export interface ReleaseOptions {
  /** More time than usual, as the door has it. */
  readonly extended?: boolean;
  /** For somebody who may not be kept in: no mode withdraws it, and it is tried again while its time lasts. */
  readonly leaves?: boolean;
}

type OutputEffect = Extract<DoorEffect, { kind: 'output' }>;

/** Drives one door: executes the effects of its machine, outputs first. */
export class Door {
  #state: DoorState;
  #nextCause = 1;
  /** Of the passages in course; as many as the machine keeps. */
  readonly #causes = new Map<number, PassageCause>();
  readonly #outputs: OutputQueue<OutputEffect>;
  readonly #waiting = new Map<number, (outcome: CommandOutcome) => void>();
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;
  #retired = false;

  constructor(
    private wiring: DoorWiring,
    settings: DoorSettings,
    private readonly deps: DoorDeps,
  ) {
    this.#state = createDoor(settings);
    this.#outputs = new OutputQueue(deps.clock, {
      transmit: (effect) => this.#transmit(effect),
      dropped: () => this.#notDriven(),
    });
  }

  get state(): DoorState {
    return this.#state;
  }

  /** The command leaves within this call, or right behind that of a shunt. Resolves with what became of it; never rejects. */
  release(cause: PassageCause, ttlMs: number, options: ReleaseOptions = {}): Promise<CommandOutcome> {
    if (this.#retired) return Promise.resolve(this.#notDriven());
    const id = this.#nextCause++;
    this.#causes.set(id, cause);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#step({ kind: 'grant', nowMs: this.deps.clock.monotonicMs(), cause: id, ttlMs, ...options });
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

  /** All doors are told of their modes whenever one may have changed. */
  mode(standing: StandingMode): void {
    if (standing === this.#state.standing) return;
    this.#step({ kind: 'mode', nowMs: this.deps.clock.monotonicMs(), standing });
  }

  /** Which alarms are only recorded at the moment. */
  masks(masks: Masks): void {
    const before = this.#state.masks;
    if (masks.held === before.held && masks.forced === before.forced) return;
    this.#step({ kind: 'masks', nowMs: this.deps.clock.monotonicMs(), masks });
  }

  outputDevice(role: OutputRole, online: boolean): void {
    this.#step({ kind: 'outputDevice', nowMs: this.deps.clock.monotonicMs(), role, online });
  }

  /** What the device says of the lock. */
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
    this.#outputs.drop();
    for (const { cause, failure } of this.#state.passages) if (failure) this.#answer(cause, failure);
    this.#timer?.timer.cancel();
    this.#timer = undefined;
  }

  /** The door is no longer of the site, or is wired anew: its lock is left locked, its other outputs let go. */
  retire(): void {
    this.#step({ kind: 'retire', nowMs: this.deps.clock.monotonicMs() });
    this.stop();
    const locked = this.#state.settings.lockType === 'failSecure' ? 'off' : 'on';
    for (const role of OUTPUT_ROLES) {
      if (this.wiring.outputs[role] === undefined) continue;
      const action = { kind: role === 'lock' ? locked : 'off' } as const;
      void this.#transmit({ kind: 'output', role, token: 0, action, ttlMs: 10_000 });
    }
  }

  #step(input: DoorInput): void {
    if (this.#retired) return;
    const { passages } = this.#state;
    const { state, effects } = step(this.#state, input);
    this.#state = state;
    if (this.#waiting.size > 0) this.#answerLeaving(passages);
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
      case 'secured':
        this.#recordSecured(effect);
        break;
      case 'indicate':
        for (const { deviceId, number } of this.wiring.readers) {
          this.deps.fieldBus.indicate(deviceId, number, effect.indication);
        }
        break;
    }
  }

  #output(effect: OutputEffect): void {
    const { role, token, cause } = effect;
    void this.#outputs.send(effect).then((outcome) => {
      this.#step({ kind: 'outputResult', nowMs: this.deps.clock.monotonicMs(), role, token, outcome });
      if (cause !== undefined && (outcome.kind === 'acknowledged' || !this.#triesAgain(cause))) {
        this.#answer(cause, outcome);
      }
    });
  }

  #triesAgain(cause: number): boolean {
    const nowMs = this.deps.clock.monotonicMs();
    const { passages } = this.#state;
    return !this.#retired && passages.some((each) => each.cause === cause && each.leaves && nowMs < each.untilMs);
  }

  /** What became of a release on the way out is known when a command for it is acknowledged, or its time is over. */
  #answerLeaving(before: readonly Passage[]): void {
    for (const { cause, failure } of before) {
      if (failure === undefined) continue;
      if (this.#state.passages.some((each) => each.cause === cause && each.confirmed)) {
        this.#answer(cause, { kind: 'acknowledged' });
      } else if (!this.#triesAgain(cause)) {
        this.#answer(cause, failure);
      }
    }
  }

  #answer(cause: number, outcome: CommandOutcome): void {
    this.#waiting.get(cause)?.(outcome);
    this.#waiting.delete(cause);
  }

  async #transmit({ role, action, ttlMs }: OutputEffect): Promise<CommandOutcome> {
    const port = this.wiring.outputs[role];
    if (port === undefined) return this.#notDriven();
    try {
      return await this.deps.fieldBus.setOutput({ ...port, action, ttlMs });
    } catch (error) {
      const failure = new SparcError('ERR_GATEWAY_INTERNAL', 'the bus failed on an output', {}, { cause: error });
      return { kind: 'unknown', error: failure };
    }
  }

  #notDriven(): CommandOutcome {
    const error = new SparcError('ERR_GATEWAY_DOOR_RETIRED', `door ${this.wiring.id} is no longer driven`);
    return { kind: 'notExecuted', error };
  }

  #recordSecured({ cause, openedAtMs, closedAtMs }: Extract<DoorEffect, { kind: 'secured' }>): void {
    const { clock } = this.deps;
    const { unixMs } = clock.wall();
    const nowMs = clock.monotonicMs();
    const instant = (atMs: number) => new Date(Math.round(unixMs - (nowMs - atMs))).toISOString();
    const detail = { openedAt: instant(openedAtMs), closedAt: instant(closedAtMs), securedAt: instant(nowMs) };
    this.#record({ kind: 'event', name: 'door.secured', cause, detail });
  }

  #record({ kind: _kind, cause, ...event }: DoorEvent): void {
    const known = cause === undefined ? undefined : this.#causes.get(cause);
    const id = this.deps.record({ ...event, doorId: this.wiring.id, ...known?.subject }, known?.id);
    for (const each of known?.companions ?? []) {
      void this.deps.record({ ...event, doorId: this.wiring.id, ...each.subject }, each.id);
    }
    // What follows an exit refers to the record of its release.
    if (event.name === 'exit.released' && cause !== undefined) this.#causes.set(cause, { id, subject: {} });
  }

  #forgetCauses(): void {
    for (const cause of this.#causes.keys()) {
      const { passages, openings } = this.#state;
      if (![...passages, ...openings].some((each) => each.cause === cause)) this.#causes.delete(cause);
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
