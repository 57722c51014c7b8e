import { isSparcError } from '@sparc/protocol/errors';
import type { Reason } from '@sparc/protocol/events';
import type { AppendedEntry, Clock, CommandOutcome, EntryId, Indication } from '@sparc/protocol/ports';
import { decisionRecord, denied, isEgress, type AccessRequest, type Decision } from '../access/index.js';
import type { Door } from '../doors/index.js';
import { ACCESS_POINT_DEFAULTS, DECISIONS_MAX, EXIT_RECORD_PATIENCE_MS } from './field-defaults.js';
import type { Recorder } from './recorder.js';
import type { Point } from './site-index.js';

/** A card at a reader, from its last byte (or that of its PIN) on. */
export interface Presentation {
  readonly point: Point;
  readonly request: AccessRequest;
  readonly startedAtMs: number;
}

/** What the path asks of the field, each time anew: a policy may be swapped at any moment. */
export interface GrantPathSite {
  decide(request: AccessRequest): Decision;
  /** The second look. */
  obstacle(decision: Decision, presentation: Presentation): Reason | undefined;
  door(doorId: string): Door | undefined;
  /** Keeps place and count for a grant until its outcome is recorded, or the returned function is called. */
  reserve(decision: Decision): () => void;
  /** The journal refused a grant as `race_lost`: makes sure that it knows the revision in force. */
  announcePolicy(): void;
  indicate(point: Point, indication: Indication): void;
}

type Saved =
  | { readonly kind: 'durable'; readonly entry: AppendedEntry }
  | { readonly kind: 'late'; readonly append: Promise<AppendedEntry> }
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * From a grant to the lock: recorded, looked at again, released, and its outcome recorded. Whatever goes wrong before the
 * release is a denial, but never keeps anybody in.
 */
export class GrantPath {
  constructor(
    private readonly clock: Clock,
    private readonly recorder: Recorder,
    private readonly site: GrantPathSite,
  ) {}

  async run(presentation: Presentation, granted: Decision): Promise<void> {
    let decision = granted;
    const free = this.site.reserve(granted);
    for (let decisionsCount = 1; ; decisionsCount++) {
      const saved = await this.#save(presentation, decision);
      if (saved.kind === 'durable') return this.#release(presentation, decision, Promise.resolve(saved.entry.id));
      const isRaceLost = saved.kind === 'failed' && isSparcError(saved.error, 'ERR_LEDGER_RACE_LOST');
      if (isRaceLost && decisionsCount < DECISIONS_MAX) {
        this.site.announcePolicy();
        decision = this.site.decide(presentation.request);
        if (decision.outcome === 'grant') continue;
        free();
        return this.deny(presentation, decision.outcome === 'deny' ? decision : denied(decision, 'pin_required'));
      }
      if (isEgress(presentation.point.accessPoint) || (!isRaceLost && isVolatile(presentation))) {
        return this.#releaseVolatile(presentation, decision, saved);
      }
      free();
      if (saved.kind === 'late') this.#abandonWhenItLands(saved.append);
      const reason = saved.kind === 'late' ? 'record_timeout' : isRaceLost ? 'race_lost' : 'record_failed';
      return this.deny(presentation, denied(decision, reason));
    }
  }

  /** Recorded and shown at once; no denial waits for anything. */
  deny({ point }: Presentation, decision: Decision): void {
    void this.recorder.record(recordOf(point, decision));
    this.site.indicate(point, 'denied');
  }

  #save(presentation: Presentation, decision: Decision): Promise<Saved> {
    const expected = decision.emergency ? {} : { expectedPolicyRevision: decision.inputs.policyRevision };
    const append = this.recorder.commit({ record: recordOf(presentation.point, decision), ...expected });
    const waitMs = presentation.startedAtMs + patienceMs(presentation) - this.clock.monotonicMs();
    return new Promise((resolve) => {
      const timer = this.clock.setTimer(Math.max(0, waitMs), () => resolve({ kind: 'late', append }));
      append.then(
        (entry) => {
          timer.cancel();
          resolve({ kind: 'durable', entry });
        },
        (error: unknown) => {
          timer.cancel();
          resolve({ kind: 'failed', error });
        },
      );
    });
  }

  #abandonWhenItLands(append: Promise<AppendedEntry>): void {
    append.then(
      (entry) => void this.recorder.record({ name: 'access.abandoned', causeId: entry.id }),
      () => undefined,
    );
  }

  async #releaseVolatile(presentation: Presentation, decision: Decision, saved: Saved): Promise<void> {
    const { point } = presentation;
    const record = recordOf(point, decision);
    const recordLater = () => this.recorder.record(record);
    const id = saved.kind === 'late' ? saved.append.then((entry) => entry.id, recordLater) : recordLater();
    void this.recorder.record({
      ...subjectOf(decision),
      name: 'journal.volatile_grant',
      doorId: point.accessPoint.door,
    });
    await this.#release(presentation, decision, id);
  }

  async #release(presentation: Presentation, decision: Decision, id: Promise<EntryId | undefined>): Promise<void> {
    const { point, startedAtMs } = presentation;
    const doorId = point.accessPoint.door;
    const leftMs = startedAtMs + limitMs(presentation) - this.clock.monotonicMs();
    const isLate = leftMs <= 0 && !isEgress(point.accessPoint);
    const obstacle = isLate ? 'record_timeout' : this.site.obstacle(decision, presentation);
    const door = this.site.door(doorId);
    const subject = { ...subjectOf(decision), doorId };
    if (obstacle !== undefined || door === undefined) {
      const reason = obstacle ?? 'point_unknown';
      void this.recorder.record({ ...subject, name: 'access.not_executed', reason }, id);
      this.site.indicate(point, 'denied');
      return;
    }
    const ttlMs = isEgress(point.accessPoint) ? limitMs(presentation) : leftMs;
    const outcome = await door.release({ id, subject: subjectOf(decision) }, ttlMs);
    // Green only for what the output acknowledged (access-control 4.0, rule 11).
    this.site.indicate(point, outcome.kind === 'acknowledged' ? 'granted' : 'denied');
    const code = outcome.kind === 'acknowledged' ? {} : { code: outcome.error.code };
    void this.recorder.record({ ...subject, name: OUTCOME_EVENTS[outcome.kind], ...code }, id);
  }
}

const OUTCOME_EVENTS = {
  acknowledged: 'access.released',
  notExecuted: 'access.not_executed',
  unknown: 'access.outcome_unknown',
} as const satisfies Record<CommandOutcome['kind'], string>;

const limitMs = ({ point }: Presentation): number =>
  point.accessPoint.recordTimeoutMs ?? ACCESS_POINT_DEFAULTS.recordTimeoutMs;

const isVolatile = ({ point }: Presentation): boolean => point.accessPoint.onRecordFailure === 'grantVolatile';

/** A disk that hangs is a record failure as well, so those that release without a record leave time to do so. */
function patienceMs(presentation: Presentation): number {
  const halfMs = limitMs(presentation) / 2;
  if (isEgress(presentation.point.accessPoint)) return Math.min(EXIT_RECORD_PATIENCE_MS, halfMs);
  return isVolatile(presentation) ? halfMs : limitMs(presentation);
}

const recordOf = ({ accessPoint }: Point, decision: Decision) => ({
  ...decisionRecord(decision),
  doorId: accessPoint.door,
});

function subjectOf({ accessPointId, credentialId, holderId }: Decision) {
  return {
    accessPointId,
    ...(credentialId === undefined ? {} : { credentialId }),
    ...(holderId === undefined ? {} : { holderId }),
  };
}
