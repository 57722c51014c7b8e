import type { Clock } from '@sparc/protocol/ports';
import { isClockKnown, mayBesideEntry, nextBoundary, siteSchedule, type PolicyView } from '../access/index.js';
import type { Toggle } from '../site-mode/index.js';
import type { Candidate } from './candidate.js';
import type { DoorSet } from './door-set.js';
import type { SiteIndex } from './site-index.js';

export interface CardTogglesDeps {
  readonly clock: Clock;
  /** Undefined while no policy is readable: nothing is toggled then. */
  readonly view: () => PolicyView | undefined;
  readonly index: () => SiteIndex;
  readonly doors: Pick<DoorSet, 'get'>;
  /** Rejects when it is refused, which is recorded. */
  readonly order: (toggle: Toggle, by: string) => Promise<void>;
}

/**
 * Whoever may toggle a door shows the same card twice: both times all checks hold, and both times it is let through. The
 * door is then unlocked, or locked again, to the next boundary of its unlock schedule.
 */
export class CardToggles {
  /** Whom each access point let through last. */
  readonly #last = new Map<string, { readonly credentialId: string; readonly atMs: number }>();

  constructor(private readonly deps: CardTogglesDeps) {}

  /** The door was released for somebody. */
  released(candidate: Candidate): void {
    const { presentation, decision } = candidate;
    const { accessPoint } = presentation.point;
    const { credentialId, holderId } = decision;
    const view = this.deps.view();
    const standing = this.deps.doors.get(accessPoint.door)?.state.standing;
    if (view === undefined || credentialId === undefined || !this.#isSecond(candidate)) return;
    // Where a lockdown, a fire or a person's order stands, there is nothing to toggle.
    if (standing !== 'locked' && standing !== 'unlocked') return;
    if (!mayBesideEntry(view, credentialId, accessPoint, decision.inputs, 'toggle')) return;
    const mode = standing === 'locked' ? 'unlocked' : 'locked';
    const forMs = this.#untilBoundaryMs(view, accessPoint.door);
    // What would end it is not known, so it does not begin.
    if (forMs === 'unknown' && mode === 'unlocked') return;
    const toggle: Toggle = {
      kind: 'toggle',
      door: accessPoint.door,
      mode,
      ...(typeof forMs === 'number' && { forMs }),
      accessPointId: accessPoint.id,
      credentialId,
      ...(holderId !== undefined && { holderId }),
    };
    this.deps.order(toggle, `credential:${credentialId}`).catch(() => undefined);
  }

  /** A third time is a first again. */
  #isSecond({ presentation: { point, startedAtMs }, decision: { credentialId = '' } }: Candidate): boolean {
    const { id, toggleWindowMs } = point.accessPoint;
    if (toggleWindowMs === undefined) return false;
    const last = this.#last.get(id);
    const isSecond = last?.credentialId === credentialId && startedAtMs - last.atMs <= toggleWindowMs;
    if (isSecond) this.#last.delete(id);
    else this.#last.set(id, { credentialId, atMs: startedAtMs });
    return isSecond;
  }

  /** Undefined: the door has no schedule that would end it. */
  #untilBoundaryMs(view: PolicyView, doorId: string): number | 'unknown' | undefined {
    const scheduleId = this.deps.index().doors.get(doorId)?.door.unlockSchedule;
    if (scheduleId === undefined) return undefined;
    const { unixMs, quality } = this.deps.clock.wall();
    return isClockKnown(view, quality) ? nextBoundary(siteSchedule(view, scheduleId), unixMs) - unixMs : 'unknown';
  }
}
