import { isSparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, TimeEvidence, Timer, WallTime } from '@sparc/protocol/ports';
import { NewestSaver } from '../platform/index.js';
import type { SavedClock } from './clock-file.js';
import { begin, step, type ClockInput } from './clock-machine.js';
import { judge, judgeAlone, STEP_MIN_MS, type ClockState, type Reading } from './clock-state.js';
import { furthestAheadMs, type OwnClock, type TimesHeard } from './site-time.js';

const LOOK_INTERVAL_MS = 1_000;
/** After a crash the mark may be this much behind; a card of flash memory is written 144 times a day. */
const SAVE_INTERVAL_MS = 600_000;
/** A correction back by less than this holds the time until the clock has caught up; no decision sees it run back. */
const HOLD_MAX_MS = 60_000;

export interface ClockStore {
  load(): SavedClock | undefined;
  save(saved: SavedClock): Promise<void>;
}

export interface SiteClockDeps {
  /** Of the machine; what it says of its quality does not count. */
  readonly clock: Clock;
  readonly evidence: TimeEvidence;
  readonly store: ClockStore;
  readonly onFailure: (error: unknown, what: string) => void;
}

export interface SiteClockHandlers {
  readonly record: (event: EventDraft) => void;
  /** Another quality, or another time, holds from now on. */
  readonly onChange: () => void;
  /** The clock of a neighbour shows this, and the own one a time before it. */
  readonly onAhead: (unixMs: number) => void;
}

/** As a gateway tells it: `NeighbourTime` of whoever hears it. */
export type OwnTime = OwnClock & Pick<WallTime, 'errorMs'>;

/** The clock of a gateway: the machine's, or where nobody vouches for that, its neighbours', with what it is worth. Before `start` nothing is known of it. */
export class SiteClock implements Clock {
  #state: ClockState | undefined;
  /** The last look, on both monotonic clocks. */
  #looked = { monotonicMs: 0, uptimeMs: 0, offsetMs: 0 };
  #trustUnsynced = false;
  #knownUnixMs = -Infinity;
  #savedAtMs = -Infinity;
  readonly #saver: NewestSaver;
  #timer: Timer | undefined;
  #handlers: SiteClockHandlers | undefined;
  #early: EventDraft[] = [];

  constructor(private readonly deps: SiteClockDeps) {
    this.#saver = new NewestSaver({
      clock: deps.clock,
      save: () => this.#saveState(),
      onFailure: (error) => deps.onFailure(error, 'what is known of the clock cannot be saved'),
    });
  }

  /** Takes up what was known before, and looks once a second from now on. */
  start(): void {
    const { evidence } = this.deps;
    const saved = this.#load();
    const isSameBoot = saved?.bootId !== undefined && saved.bootId === evidence.bootId;
    this.#state = begin(this.#read(), saved && { isSameBoot, state: saved.state }, evidence.hardwareUnixMs());
    this.#look();
    this.#later();
  }

  /** Tells what was found till now, and from now on. */
  tell(handlers: SiteClockHandlers): void {
    this.#handlers = handlers;
    for (const event of this.#early.splice(0)) handlers.record(event);
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#save().catch(() => undefined);
    await this.#saver.stop();
  }

  monotonicMs(): number {
    return this.deps.clock.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.deps.clock.setTimer(delayMs, callback);
  }

  /** A clock that was set is seen at once, not at the next look. */
  wall(): WallTime {
    const { clock } = this.deps;
    const { unixMs } = clock.wall();
    const monotonicMs = clock.monotonicMs();
    if (this.#state === undefined) return { unixMs, quality: 'unsynced' };
    const setByMs = unixMs - monotonicMs - this.#looked.offsetMs;
    if (Math.abs(setByMs) >= STEP_MIN_MS) this.#look();
    const uptimeMs = this.#looked.uptimeMs + monotonicMs - this.#looked.monotonicMs;
    return this.#notBack(judge(this.#state, { unixMs, uptimeMs }));
  }

  /** By how much it is ahead of the machine's clock: whoever signs by that one for this gateway adds it. */
  get aheadMs(): number {
    return this.wall().unixMs - this.deps.clock.wall().unixMs;
  }

  /** What the machine's own clock is worth, and how far it is from the uptime: for neighbours. Undefined before the start. */
  own(): OwnTime | undefined {
    return this.#worth(judgeAlone);
  }

  /** What this gateway goes by, and what it is worth: for its site process. Undefined before the start. */
  inUse(): OwnTime | undefined {
    return this.#worth(judge);
  }

  /** What neighbours say of the time: it counts where nobody vouches for the machine's own clock. */
  hear(heard: TimesHeard): void {
    const reading = this.#read();
    this.#take({ kind: 'heard', reading, trustUnsynced: this.#trustUnsynced, heard });
    const { unixMs } = this.wall();
    const aheadMs = furthestAheadMs(heard, unixMs - reading.uptimeMs);
    if (aheadMs >= STEP_MIN_MS) this.#handlers?.onAhead(Math.floor(unixMs + aheadMs));
  }

  /** Whether the site takes a clock as it is that no time source has confirmed. */
  trustUnsynced(isTrusted: boolean): void {
    this.#trustUnsynced = isTrusted;
  }

  /**
   * A named person says that the machine's wall clock is right: at once, and what has surely passed counts from it anew.
   * Resolves when the disk has it, or has failed.
   */
  async accept(): Promise<void> {
    this.#knownUnixMs = -Infinity;
    this.#take({ kind: 'accept', reading: this.#read() });
    await this.#save().catch(() => undefined);
  }

  #worth(judged: typeof judge): OwnTime | undefined {
    if (this.#state === undefined) return undefined;
    const reading = this.#read();
    const { unixMs, quality, errorMs } = judged(this.#state, reading);
    return { offsetMs: unixMs - reading.uptimeMs, quality, ...(errorMs !== undefined && { errorMs }) };
  }

  #look(): void {
    this.#take({ kind: 'look', reading: this.#read(), trustUnsynced: this.#trustUnsynced });
  }

  #take(input: ClockInput): void {
    if (this.#state === undefined) return;
    const { unixMs, uptimeMs } = input.reading;
    const monotonicMs = this.monotonicMs();
    this.#looked = { monotonicMs, uptimeMs, offsetMs: unixMs - monotonicMs };
    const { state, events } = step(this.#state, input);
    this.#state = state;
    if (events.length === 0) {
      if (this.monotonicMs() - this.#savedAtMs >= SAVE_INTERVAL_MS) void this.#save();
      return;
    }
    void this.#save();
    this.#handlers?.onChange();
    for (const event of events) {
      if (this.#handlers === undefined) this.#early.push(event);
      else this.#handlers.record(event);
    }
  }

  #read(): Reading {
    const { clock, evidence } = this.deps;
    return {
      unixMs: clock.wall().unixMs,
      uptimeMs: evidence.uptimeMs(),
      confirmedUnixMs: evidence.confirmedUnixMs(),
    };
  }

  #notBack(wall: WallTime): WallTime {
    const { unixMs, quality } = wall;
    const isKnown = quality === 'synced' || quality === 'holdover';
    // What neighbours say differs by some milliseconds each time.
    if (!isKnown && this.#state?.line.isOfSite !== true) return wall;
    const backMs = this.#knownUnixMs - unixMs;
    if (backMs > 0 && backMs < HOLD_MAX_MS) return { ...wall, unixMs: this.#knownUnixMs };
    this.#knownUnixMs = unixMs;
    return wall;
  }

  #later(): void {
    this.#timer = this.setTimer(LOOK_INTERVAL_MS, () => {
      this.#look();
      this.#later();
    });
  }

  #load(): SavedClock | undefined {
    try {
      return this.deps.store.load();
    } catch (error) {
      this.deps.onFailure(error, 'what was known of the clock is lost');
      const code: ErrorCode = isSparcError(error) ? error.code : 'ERR_GATEWAY_CLOCK_DAMAGED';
      this.#early.push({ name: 'clock.mark_lost', code });
      return undefined;
    }
  }

  #save(): Promise<void> {
    this.#savedAtMs = this.monotonicMs();
    this.#saver.changed();
    return this.#saver.save();
  }

  async #saveState(): Promise<void> {
    const { evidence, store } = this.deps;
    const { bootId } = evidence;
    if (this.#state !== undefined) await store.save({ ...(bootId !== undefined && { bootId }), state: this.#state });
  }
}
