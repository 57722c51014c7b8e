import type { EventDraft } from '@sparc/protocol/events';
import { ALWAYS_SCHEDULE_ID } from '@sparc/protocol/policy';
import type { Clock, Timer, WallTime } from '@sparc/protocol/ports';
import {
  boundaries,
  dateText,
  isClockKnown,
  isSurelyOpen,
  nextBoundary,
  siteSchedule,
  skippedWindows,
  windowText,
  zoneClock,
  type CompiledSchedule,
  type PolicyView,
} from '../access/index.js';
import { codeOf, type FieldLog } from './recorder.js';

const MINUTE_MS = 60_000;

/** Boundaries that the clock passes again, after it was set back by less than this, were run already. */
const RUN_ONCE_WITHIN_MS = 86_400_000;

/** Wall clock and monotonic clock may disagree by this much between two looks; beyond it, the wall clock was set. */
const STEADY_WITHIN_MS = 1_000;

export interface ScheduleWatchDeps {
  readonly clock: Clock;
  readonly record: (event: EventDraft) => unknown;
  readonly log: FieldLog;
  /** A schedule may have opened or closed. Called before that is recorded. */
  readonly onChange: () => void;
}

interface Look {
  readonly unixMs: number;
  readonly monotonicMs: number;
  /** Somebody vouches for the wall clock. */
  readonly isKnown: boolean;
}

type Cause = 'start' | 'boundary' | 'policy' | 'clock';

/**
 * Which schedules are open, for whatever follows them. They are evaluated at every full minute of the wall clock, where
 * all their boundaries are, so that a clock that is set takes effect within a minute. A boundary is recorded at its own
 * instant, however late the look is, and once: passed again, because the clock was set back, it is a change of the clock.
 */
export class ScheduleWatch {
  #view: PolicyView | undefined;
  #ids: readonly string[] = [];
  readonly #open = new Set<string>();
  /** No boundary of the schedule comes before it. */
  readonly #quietUntil = new Map<string, number>();
  /** Schedules that a new policy opens: they wait for the next evaluation. */
  readonly #widened = new Set<string>();
  #last: Look | undefined;
  /** The latest known time at any look. */
  #ranUntilUnixMs = -Infinity;
  #timer: Timer | undefined;

  constructor(private readonly deps: ScheduleWatchDeps) {}

  isOpen(scheduleId: string): boolean {
    return this.#open.has(scheduleId);
  }

  /**
   * Takes up a policy. What it closes is closed at once; what it opens beyond the policy before opens at the next
   * evaluation (access-control 4.4).
   */
  use(view: PolicyView | undefined, scheduleIds: readonly string[]): void {
    const isFirst = this.#view === undefined;
    this.#view = view;
    this.#ids = view === undefined ? [] : scheduleIds;
    this.#quietUntil.clear();
    this.#widened.clear();
    this.#evaluate(isFirst ? 'start' : 'policy');
  }

  /** Beside each full minute: when the clock was set. */
  look(): void {
    this.#evaluate('time');
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #evaluate(why: 'start' | 'policy' | 'time'): void {
    this.#timer?.cancel();
    const { clock, onChange, record } = this.deps;
    const wall = clock.wall();
    const { unixMs } = wall;
    const isKnown = this.#view !== undefined && isClockKnown(this.#view, wall.quality);
    const look = { unixMs, monotonicMs: clock.monotonicMs(), isKnown };
    const events: EventDraft[] = [];
    const since = why === 'time' ? this.#steadySince(look) : undefined;
    if (since === undefined) this.#quietUntil.clear();
    this.#last = look;
    const ranUntil = this.#ranUntilUnixMs - unixMs < RUN_ONCE_WITHIN_MS ? this.#ranUntilUnixMs : -Infinity;
    for (const id of this.#open) if (!this.#ids.includes(id)) this.#turn(id, false, unixMs, 'policy', events);
    for (const id of this.#ids) {
      if (since !== undefined) this.#pass(id, since, unixMs, ranUntil, events);
      const isOpen = this.#isSurelyOpen(id, wall);
      const cause = why === 'time' ? (this.#widened.has(id) ? 'policy' : 'clock') : why;
      if (why === 'policy' && isOpen && !this.#open.has(id)) this.#widened.add(id);
      else this.#turn(id, isOpen, unixMs, cause, events);
    }
    if (isKnown) this.#ranUntilUnixMs = Math.max(ranUntil, unixMs);
    if (why === 'time') this.#widened.clear();
    onChange();
    for (const event of events) record(event);
    if (this.#ids.length === 0) return;
    this.#timer = clock.setTimer(MINUTE_MS - (unixMs % MINUTE_MS), () => this.#evaluate('time'));
  }

  /** The instant of the look before, unless the wall clock was set since then or is not known. */
  #steadySince({ unixMs, monotonicMs, isKnown }: Look): number | undefined {
    const last = this.#last;
    if (last === undefined || !last.isKnown || !isKnown) return undefined;
    const setByMs = unixMs - last.unixMs - (monotonicMs - last.monotonicMs);
    return Math.abs(setByMs) <= STEADY_WITHIN_MS && unixMs >= last.unixMs ? last.unixMs : undefined;
  }

  /** What the clock passed between two looks. */
  #pass(id: string, fromUnixMs: number, toUnixMs: number, ranUntil: number, events: EventDraft[]): void {
    this.#guard(id, (schedule) => {
      for (const { day, window, unixMs } of skippedWindows(schedule, fromUnixMs, toUnixMs)) {
        const at = schedule.clock.text(unixMs);
        const detail = { schedule: id, at, date: dateText(day), window: windowText(window) };
        events.push({ name: 'schedule.window_skipped', detail });
      }
      if ((this.#quietUntil.get(id) ?? 0) > toUnixMs) return;
      for (const { opens, unixMs } of boundaries(schedule, fromUnixMs, toUnixMs)) {
        this.#turn(id, opens, unixMs, unixMs > ranUntil ? 'boundary' : 'clock', events);
      }
      this.#quietUntil.set(id, nextBoundary(schedule, toUnixMs));
    });
  }

  #turn(id: string, opens: boolean, unixMs: number, because: Cause, events: EventDraft[]): void {
    if (this.#open.has(id) === opens) return;
    if (opens) this.#open.add(id);
    else this.#open.delete(id);
    if (id === ALWAYS_SCHEDULE_ID || this.#view === undefined) return;
    const at = zoneClock(this.#view.timeZone).text(unixMs);
    events.push({ name: opens ? 'schedule.active' : 'schedule.inactive', detail: { schedule: id, at, because } });
  }

  #isSurelyOpen(id: string, wall: WallTime): boolean {
    return this.#guard(id, () => this.#view !== undefined && isSurelyOpen(this.#view, id, wall)) ?? false;
  }

  /** A schedule that cannot be evaluated is closed, and the others go on. */
  #guard<T>(id: string, evaluate: (schedule: CompiledSchedule) => T): T | undefined {
    if (this.#view === undefined) return undefined;
    try {
      return evaluate(siteSchedule(this.#view, id));
    } catch (error) {
      this.deps.log.error({ scheduleId: id, code: codeOf(error) }, 'schedule cannot be evaluated');
      return undefined;
    }
  }
}
