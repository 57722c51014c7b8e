import type { Clock } from '@sparc/protocol/ports';
import { REFUSED_FOR_MS } from './keeper.js';
import { CALLS_PACE, Credits } from './pace.js';

/** More than two calls that cross are no accident. */
const CONNECTIONS_WITH_ONE_MAX = 3;
/** Whoever calls and is not on the roster may have a newer one to show; so many at a time. */
const STRANGERS_MAX = 4;

/** Whose calls are taken, judged by the key that the transport proved, before anything else is spent on them. */
export class Callers {
  readonly #refusedUntilMs = new Map<string, number>();
  /** How often members have called. */
  readonly #calls: Credits;

  constructor(
    private readonly clock: Clock,
    private readonly isMember: (key: string) => boolean,
  ) {
    this.#calls = new Credits(clock, CALLS_PACE);
  }

  /** `connected`: the keys at the other end of all connections, one each. */
  mayCall(key: string, connected: readonly string[]): boolean {
    const nowMs = this.clock.monotonicMs();
    if (key === '' || nowMs < (this.#refusedUntilMs.get(key) ?? -Infinity)) return false;
    if (!this.isMember(key)) return connected.filter((other) => !this.isMember(other)).length < STRANGERS_MAX;
    if (connected.filter((other) => other === key).length >= CONNECTIONS_WITH_ONE_MAX) return false;
    return this.#calls.take(key, 1);
  }

  /** Its calls are not taken for a while. */
  refuse(key: string): void {
    const nowMs = this.clock.monotonicMs();
    for (const [other, untilMs] of this.#refusedUntilMs) if (untilMs <= nowMs) this.#refusedUntilMs.delete(other);
    this.#refusedUntilMs.set(key, nowMs + REFUSED_FOR_MS);
  }

  /** There is a newer roster, by which whoever was refused may belong here. */
  rosterChanged(): void {
    this.#refusedUntilMs.clear();
  }
}
