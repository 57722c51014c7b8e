import type { EventRecord } from '@sparc/protocol/events';
import type { AccessPoint } from '@sparc/protocol/policy';
import type { Clock } from '@sparc/protocol/ports';
import type { AccessRequest } from '../access/index.js';

/** Longer than any release; as a rule an outcome ends a reservation long before. */
const RESERVATION_MAX_MS = 660_000;

/** Somebody whom a grant lets in. A facility code is nobody's. */
export interface Person {
  readonly credentialId: string | undefined;
  readonly holderId: string | undefined;
}

export interface Reservation extends Person {
  readonly request: AccessRequest;
  readonly accessPoint: AccessPoint;
  readonly untilMs: number;
}

/** Somebody went through, or may have. */
export interface Passage extends Person {
  readonly accessPoint: AccessPoint;
  readonly isCertain: boolean;
  /** Who vouched for them. */
  readonly escortId: string | undefined;
}

const NONE: readonly Reservation[] = [];

/** Grants that are neither used nor over: they keep place and count for whom they are for (access-control 4.0, rule 4). */
export class GrantsUnderWay {
  readonly #reservations = new Set<Reservation>();

  constructor(private readonly clock: Clock) {}

  /** Until its outcome is settled or the returned function is called. */
  reserve(grant: Omit<Reservation, 'untilMs'>): () => void {
    const reservation = { ...grant, untilMs: this.clock.monotonicMs() + RESERVATION_MAX_MS };
    this.#reservations.add(reservation);
    return () => void this.#reservations.delete(reservation);
  }

  /** Those of other presentations. */
  besides(request: AccessRequest): readonly Reservation[] {
    if (this.#reservations.size === 0) return NONE;
    const nowMs = this.clock.monotonicMs();
    for (const each of this.#reservations) if (nowMs >= each.untilMs) this.#reservations.delete(each);
    return [...this.#reservations].filter((each) => each.request !== request);
  }

  /** The passage that an event tells of, if it is the outcome of a grant that was, or may have been, used. */
  settle(record: EventRecord, planned: AccessPoint | undefined): Passage | undefined {
    const { name, accessPointId, credentialId, holderId } = record;
    const grant = [...this.#reservations].find(
      (each) => each.accessPoint.id === accessPointId && each.credentialId === credentialId,
    );
    // The site may not have it any more, where somebody was just let in.
    const accessPoint = planned ?? grant?.accessPoint;
    if (accessPoint === undefined) return undefined;
    const outcome = outcomeOf(name, accessPoint.countsOnGrant === true);
    if (outcome === undefined) return undefined;
    if (grant !== undefined) this.#reservations.delete(grant);
    if (outcome === 'none') return undefined;
    const escortId = grant?.request.escort?.holderId;
    return { credentialId, holderId, accessPoint, isCertain: outcome === 'certain', escortId };
  }
}

/** Undefined: no outcome, or one that says nothing more; where the lock did not answer, the door still tells what came of it. */
function outcomeOf(name: string, countsOnGrant: boolean): 'certain' | 'unknown' | 'none' | undefined {
  switch (name) {
    case 'access.released':
      return countsOnGrant ? 'certain' : undefined;
    case 'access.used':
      return countsOnGrant ? undefined : 'certain';
    case 'access.unverified':
      return countsOnGrant ? undefined : 'unknown';
    case 'access.not_used':
      return countsOnGrant ? undefined : 'none';
    case 'access.not_executed':
      return 'none';
    default:
      return undefined;
  }
}
