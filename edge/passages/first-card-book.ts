import { type AccessPoint, type Door, type FirstCard, ALWAYS_SCHEDULE_ID } from '@sparc/protocol/policy';
import type { WallTime } from '@sparc/protocol/ports';
import {
  boundaries,
  isClockKnown,
  isOpen,
  mayBesideEntry,
  recordedTime,
  siteSchedule,
  zoneClock,
  type Boundary,
  type PolicyView,
} from '../access/index.js';
import type { BookDeps, PassageDraft } from './book.js';
import { CLAIM_MEMORY_MS, type Claim } from './claim.js';
import type { Passage } from './grants-under-way.js';

const DAY_MS = 86_400_000;

/** Which doors somebody opened first, and since when. An unknown clock tells no day and no window: then nobody has. */
export class FirstCardBook {
  #doors: ReadonlyMap<string, Door> = new Map();
  #view: PolicyView | undefined;
  readonly #since = new Map<string, number>();

  constructor(private readonly deps: BookDeps) {}

  configure(doors: readonly Door[], view: PolicyView | undefined): void {
    this.#doors = new Map(doors.filter(({ firstCard }) => firstCard !== undefined).map((door) => [door.id, door]));
    this.#view = view;
  }

  begin(): void {
    this.#since.clear();
  }

  fold({ record: { name, doorId }, atUnixMs }: Claim): void {
    if (doorId === undefined) return;
    if (name === 'first_card.in') this.#since.set(doorId, atUnixMs);
    if (name === 'first_card.ended') this.#since.delete(doorId);
  }

  /** Adds whether somebody came first, where somebody has to. */
  addFacts(facts: PassageDraft, { direction, door: doorId }: AccessPoint): void {
    const door = this.#doors.get(doorId);
    if (direction !== 'entry' || door?.firstCard === undefined || this.#view === undefined) return;
    const wall = this.deps.clock.wall();
    const { scope } = door.firstCard;
    const isAsked =
      scope !== 'window' || !isClockKnown(this.#view, wall.quality) || this.#isOpen(this.#view, door, wall);
    if (isAsked) facts.firstCardIn = this.isIn(doorId);
  }

  /** Somebody who may opened the door, and it still holds. */
  isIn(doorId: string): boolean {
    const door = this.#doors.get(doorId);
    const sinceUnixMs = this.#since.get(doorId);
    if (door?.firstCard === undefined || sinceUnixMs === undefined || this.#view === undefined) return false;
    const wall = this.deps.clock.wall();
    if (!isClockKnown(this.#view, wall.quality)) return false;
    const ageMs = wall.unixMs - sinceUnixMs;
    if (ageMs < 0 || ageMs >= CLAIM_MEMORY_MS) return false;
    return this.#holds(this.#view, door, door.firstCard, sinceUnixMs, wall);
  }

  passed({ credentialId, holderId, accessPoint, isCertain }: Passage): void {
    const { id: accessPointId, door: doorId } = accessPoint;
    const firstCard = this.#doors.get(doorId)?.firstCard;
    const view = this.#view;
    if (credentialId === undefined || holderId === undefined || !isCertain) return;
    if (accessPoint.direction !== 'entry' || !firstCard || !view || this.isIn(doorId)) return;
    const at = recordedTime(this.deps.clock.wall());
    if (!mayBesideEntry(view, credentialId, accessPoint, at, 'openFirst')) return;
    const detail = { scope: firstCard.scope };
    this.deps.record({ name: 'first_card.in', doorId, accessPointId, credentialId, holderId, detail });
  }

  /** The door is not unlocked any more. */
  relocked(doorId: string): void {
    const scope = this.#doors.get(doorId)?.firstCard?.scope;
    if (scope === 'relock' && this.#since.has(doorId)) this.deps.record({ name: 'first_card.ended', doorId });
  }

  #holds(view: PolicyView, door: Door, { scope }: FirstCard, sinceUnixMs: number, wall: WallTime): boolean {
    switch (scope) {
      case 'day': {
        const clock = zoneClock(view.timeZone);
        const dayOf = (unixMs: number) => Math.floor((unixMs + clock.offsetMs(unixMs)) / DAY_MS);
        return dayOf(sinceUnixMs) === dayOf(wall.unixMs);
      }
      case 'window':
        return this.#isOpen(view, door, wall) && this.#boundaries(view, door, sinceUnixMs, wall).length === 0;
      case 'relock':
        return this.#boundaries(view, door, sinceUnixMs, wall).every(({ opens }) => opens);
    }
  }

  #isOpen(view: PolicyView, door: Door, { unixMs }: WallTime): boolean {
    return isOpen(siteSchedule(view, scheduleOf(door)), unixMs);
  }

  #boundaries(view: PolicyView, door: Door, sinceUnixMs: number, { unixMs }: WallTime): readonly Boundary[] {
    return boundaries(siteSchedule(view, scheduleOf(door)), sinceUnixMs, unixMs);
  }
}

/** A site file without any is refused where the scope needs one. */
const scheduleOf = ({ firstCard, unlockSchedule }: Door): string =>
  firstCard?.schedule ?? unlockSchedule ?? ALWAYS_SCHEDULE_ID;
