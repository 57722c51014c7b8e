import type { Reason } from '@sparc/protocol/events';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { Candidate } from './candidate.js';
import {
  nextDeadlineMs,
  NOBODY_GATHERED,
  step,
  type EscortAtHand,
  type Gathering,
  type GatheringInput,
  type GaveUp,
} from './gathering.js';

/** The gathering at one reader, with its time: whoever waited in vain is told of. */
export class Meeting {
  #state: Gathering = NOBODY_GATHERED;
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly onGaveUp: (gaveUp: GaveUp) => void,
  ) {}

  /** Whether there was room to wait in. */
  wait(candidate: Candidate, windowMs: number, waitingMax: number): boolean {
    this.#step({ kind: 'wait', nowMs: this.clock.monotonicMs(), candidate, windowMs, waitingMax });
    return this.#state.waiting.some((each) => each.candidate === candidate);
  }

  /** Who waits for it, in time still. */
  waitingFor(reason: Reason): readonly Candidate[] {
    this.#look();
    return this.#state.waiting.flatMap(({ candidate }) => (candidate.decision.reason === reason ? [candidate] : []));
  }

  /** They wait no longer. */
  leave(candidates: readonly Candidate[]): void {
    this.#step({ kind: 'met', nowMs: this.clock.monotonicMs(), candidates });
  }

  get escort(): EscortAtHand | undefined {
    this.#look();
    return this.#state.escort;
  }

  follow(escort: EscortAtHand): void {
    this.#step({ kind: 'escort', nowMs: this.clock.monotonicMs(), escort });
  }

  disband(): void {
    this.#step({ kind: 'disband', nowMs: this.clock.monotonicMs() });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    this.#step({ kind: 'time', nowMs: this.clock.monotonicMs() });
  }

  #step(input: GatheringInput): void {
    const { state, gaveUp } = step(this.#state, input);
    this.#state = state;
    gaveUp.forEach(this.onGaveUp);
    this.#timer?.cancel();
    const untilMs = nextDeadlineMs(state);
    const leftMs = untilMs === undefined ? undefined : Math.max(0, untilMs - this.clock.monotonicMs());
    this.#timer = leftMs === undefined ? undefined : this.clock.setTimer(leftMs, () => this.#look());
  }
}
