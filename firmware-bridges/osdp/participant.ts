import type { AcuEffect, AcuInput } from '@sparc/protocol/osdp';
import type { Contender } from './turn-order.js';

/** Somebody for whom frames go over a bus: a device of the plan, or a single exchange with a PD that is in none. */
export interface Participant extends Contender {
  readonly address: number;
  /** Bits a second; undefined: the rate of the bus. */
  readonly baudRate: number | undefined;
  /** From `turn` on it has the line until it causes `turnDone`. */
  step(input: AcuInput): readonly AcuEffect[];
  turnBegan(nowMs: number): void;
  /** Its frame is on the line, where it takes `lineMs`; returns how long its reply is waited for at most. */
  transmitted(bytes: Uint8Array, lineMs: number, replyTimeoutMs: number): number;
  timedOut(garbled: boolean): void;
  turnEnded(nowMs: number): void;
}

/** Keeps the line for the reply to a frame whose sender was taken off the bus meanwhile. */
export class Departed implements Participant {
  readonly dueAtMs = -Infinity;
  readonly urgent = false;
  readonly attentiveUntilMs = -Infinity;
  readonly present = true;
  readonly answered = false;
  readonly lastTurnAtMs = -Infinity;
  readonly baudRate = undefined;

  constructor(readonly address: number) {}

  step({ kind }: AcuInput): readonly AcuEffect[] {
    return kind === 'turn' || kind === 'frame' || kind === 'replyTimeout' ? [{ kind: 'turnDone' }] : [];
  }

  turnBegan(): void {}
  transmitted(_bytes: Uint8Array, _lineMs: number, replyTimeoutMs: number): number {
    return replyTimeoutMs;
  }
  timedOut(): void {}
  turnEnded(): void {}
}
