import type { TimeEvidence } from '@sparc/protocol/ports';
import type { ClockStore, SavedClock } from '@sparc/edge/clock';
import type { LoadedRevocations, RevocationStore } from '@sparc/edge/revocation';
import type { ModeStore, SiteMode } from '@sparc/edge/site-mode';
import { VirtualClock } from '@sparc/simulator/world';

/** What a process leaves on disk, as text: nothing else of it comes back. */
class Saved<T> {
  #text: string | undefined;

  load(): T | undefined {
    return this.#text === undefined ? undefined : (JSON.parse(this.#text) as T);
  }

  save(value: T): Promise<void> {
    this.#text = JSON.stringify(value);
    return Promise.resolve();
  }
}

class SavedRevocations implements RevocationStore {
  readonly #saved = new Saved<LoadedRevocations['revocations']>();

  load(): LoadedRevocations {
    return { revocations: this.#saved.load() ?? [] };
  }

  append(revocation: LoadedRevocations['revocations'][number]): Promise<void> {
    return this.replace([...this.load().revocations, revocation]);
  }

  replace(revocations: LoadedRevocations['revocations']): Promise<void> {
    return this.#saved.save(revocations);
  }
}

const ASKED_EVERY_MS = 60_000;

/** The machine of a gateway: its clocks, its time source and its disk, which outlive the process. */
export class Machine implements TimeEvidence {
  readonly clock: VirtualClock;
  readonly modeStore: ModeStore = new Saved<SiteMode>();
  readonly clockStore: ClockStore = new Saved<SavedClock>();
  readonly revocationStore: RevocationStore = new SavedRevocations();
  #hasTimeSource: boolean;
  #confirmed: { readonly unixMs: number; readonly offsetMs: number } | undefined;
  #boot = { number: 1, atMs: 0 };

  constructor(
    private readonly startUnixMs: number,
    hasTimeSource: boolean,
  ) {
    this.clock = new VirtualClock({ startUnixMs });
    this.#hasTimeSource = hasTimeSource;
  }

  get bootId(): string {
    return `boot ${this.#boot.number}`;
  }

  uptimeMs(): number {
    return this.clock.monotonicMs() - this.#boot.atMs;
  }

  /** As long as it answers, a time source is asked once a minute, and when it sets the clock. */
  confirmedUnixMs(): number | undefined {
    const { unixMs } = this.clock.wall();
    const offsetMs = unixMs - this.clock.monotonicMs();
    const confirmed = this.#confirmed;
    const isDue = confirmed?.offsetMs !== offsetMs || unixMs - confirmed.unixMs >= ASKED_EVERY_MS;
    if (this.#hasTimeSource && isDue) this.#confirmed = { unixMs, offsetMs };
    return this.#confirmed?.unixMs;
  }

  /** It runs on, whatever is done to the wall clock. */
  hardwareUnixMs(): number {
    return Math.floor(this.startUnixMs + this.clock.monotonicMs());
  }

  timeSource(answers: boolean): void {
    this.confirmedUnixMs();
    this.#hasTimeSource = answers;
  }

  /** It starts with the time of its hardware clock, or with another where that has no battery. */
  restart(wallUnixMs = this.hardwareUnixMs()): void {
    this.#boot = { number: this.#boot.number + 1, atMs: this.clock.monotonicMs() };
    this.#confirmed = undefined;
    this.clock.stepWall(wallUnixMs - this.clock.wall().unixMs);
  }
}
