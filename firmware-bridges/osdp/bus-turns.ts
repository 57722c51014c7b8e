import type { SparcError } from '@sparc/protocol/errors';
import type { AcuEffect, AcuInput } from '@sparc/protocol/osdp';
import type { Clock, Random, Timer } from '@sparc/protocol/ports';
import type { BusLine } from './bus-line.js';
import { Departed, type Participant } from './participant.js';
import { TurnOrder } from './turn-order.js';

/** What a participant causes beyond its turns. */
export type ParticipantEffect = Exclude<AcuEffect, { kind: 'transmit' | 'turnDone' }>;

export interface BusTurnsHandlers<P extends Participant> {
  /** Whoever may be given the line now. */
  participants(): readonly P[];
  onOpen(): void;
  onDown(error: SparcError): void;
  onTurn(participant: P): void;
  onEffect(participant: P, effect: ParticipantEffect): void;
}

/** Gives the turns of a line to its participants, one after the other, each at its own rate, and executes their effects. */
export class BusTurns<P extends Participant> {
  /** Of participants that have no rate of their own, in bits a second. */
  baudRate: number;
  readonly #order = new TurnOrder<P>();
  readonly #effects: { readonly from: P | Departed; readonly effect: AcuEffect }[] = [];
  #isExecuting = false;
  /** Whose the line is, from the choice on: before its frame the rate may have to change. */
  #current: P | Departed | undefined;
  /** Tells the turns apart that a change of rate was begun for. */
  #turnNumber = 0;
  #timer: Timer | undefined;

  constructor(
    private readonly deps: { readonly clock: Clock; readonly random: Random },
    private readonly line: BusLine,
    private readonly handlers: BusTurnsHandlers<P>,
  ) {
    this.baudRate = line.link.baudRate;
  }

  start(): void {
    this.line.start({
      onOpen: () => {
        this.handlers.onOpen();
        this.wake();
      },
      onDown: (error) => {
        this.#lineDown();
        this.handlers.onDown(error);
      },
      onFrame: (bytes, nowMs) => {
        if (this.#current !== undefined) this.feed(this.#current, { kind: 'frame', nowMs, bytes });
      },
      onSilence: (nowMs, garbled) => {
        this.#current?.timedOut(garbled);
        if (this.#current !== undefined) this.feed(this.#current, { kind: 'replyTimeout', nowMs, garbled });
      },
    });
  }

  /** Participants hear of it before it returns; the promise waits for the line to be let go. */
  async stop(): Promise<void> {
    const stopped = this.line.stop();
    this.#lineDown();
    await stopped;
  }

  /** Somebody wants the line who did not before. */
  wake(): void {
    this.#giveTurnAfter(0);
  }

  /** Takes the line away from a participant; a reply that is due still has its time before the next turn. */
  leave(participant: P): void {
    if (this.#current !== participant) return;
    this.#current = new Departed(participant.address);
    if (this.line.awaitsNothing) this.#endTurn(this.#current);
  }

  /** Effects are executed in order, also when a handler feeds another input meanwhile. */
  feed(participant: P | Departed, input: AcuInput): void {
    for (const effect of participant.step(input)) this.#effects.push({ from: participant, effect });
    if (this.#isExecuting) return;
    this.#isExecuting = true;
    try {
      for (let next = this.#effects.shift(); next !== undefined; next = this.#effects.shift()) {
        this.#execute(next.from, next.effect);
      }
    } finally {
      this.#isExecuting = false;
    }
  }

  #execute(from: P | Departed, effect: AcuEffect): void {
    if (effect.kind === 'transmit') return this.#transmit(from, effect.bytes, effect.replyTimeoutMs);
    if (effect.kind === 'turnDone') return this.#endTurn(from);
    if (!(from instanceof Departed)) this.handlers.onEffect(from, effect);
  }

  #lineDown(): void {
    const interrupted = this.#current;
    this.#current = undefined;
    this.#turnNumber += 1;
    this.#timer?.cancel();
    const nowMs = this.deps.clock.monotonicMs();
    const all = new Set<P | Departed>(this.handlers.participants());
    if (interrupted !== undefined) all.add(interrupted);
    for (const participant of all) this.feed(participant, { kind: 'lineDown', nowMs });
  }

  #giveTurnAfter(delayMs: number): void {
    if (!this.line.up || this.#current !== undefined) return;
    this.#timer?.cancel();
    this.#timer = this.deps.clock.setTimer(delayMs, () => this.#giveTurn());
  }

  #giveTurn(): void {
    const busyMs = this.line.busyForMs();
    if (busyMs > 0) return this.#giveTurnAfter(busyMs);
    const nowMs = this.deps.clock.monotonicMs();
    const contenders = this.handlers.participants();
    const chosen = this.#order.next(contenders, nowMs);
    if (chosen === undefined) {
      const dueAtMs = Math.min(...contenders.map((each) => each.dueAtMs));
      if (Number.isFinite(dueAtMs)) this.#giveTurnAfter(dueAtMs - nowMs);
      return;
    }
    this.#current = chosen;
    this.handlers.onTurn(chosen);
    const { baudRate = this.baudRate } = chosen;
    if (baudRate === this.line.link.baudRate) this.#beginTurn();
    else void this.#beginTurnAt(baudRate, ++this.#turnNumber);
  }

  async #beginTurnAt(baudRate: number, turnNumber: number): Promise<void> {
    await this.line.setBaudRate(baudRate);
    if (turnNumber !== this.#turnNumber) return;
    this.#timer = this.deps.clock.setTimer(this.line.busyForMs(), () => this.#beginTurn());
  }

  #beginTurn(): void {
    const participant = this.#current;
    if (participant === undefined) return;
    const nowMs = this.deps.clock.monotonicMs();
    this.line.beginTurn();
    participant.turnBegan(nowMs);
    this.feed(participant, { kind: 'turn', nowMs, rndA: this.deps.random.bytes(8) });
  }

  #transmit(from: P | Departed, bytes: Uint8Array, replyTimeoutMs: number): void {
    // It was taken off by whoever heard of what led to this frame.
    if (from !== this.#current) return;
    const timeoutMs = from.transmitted(bytes, this.line.lineMs(bytes.length), replyTimeoutMs);
    this.line.transmit(bytes, from.address, timeoutMs);
  }

  #endTurn(from: P | Departed): void {
    if (from !== this.#current) return;
    this.#current = undefined;
    this.line.endTurn();
    from.turnEnded(this.deps.clock.monotonicMs());
    this.#giveTurnAfter(this.line.idleMs);
  }
}
