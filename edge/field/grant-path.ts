import { isSparcError } from '@sparc/protocol/errors';
import type { Reason } from '@sparc/protocol/events';
import { isEgress } from '@sparc/protocol/policy';
import type { AppendedEntry, Clock, CommandOutcome, EntryId, Indication } from '@sparc/protocol/ports';
import { decisionRecord, denied, type AccessRequest, type Decision } from '../access/index.js';
import type { Door } from '../doors/index.js';
import { whoPasses, type Candidate, type Presentation } from './candidate.js';
import { ACCESS_POINT_DEFAULTS, DECISIONS_MAX, EXIT_RECORD_PATIENCE_MS } from './field-defaults.js';
import type { Recorder } from './recorder.js';
import type { Point } from './site-index.js';

/** What the path asks of the field, each time anew: a policy may be swapped at any moment. */
export interface GrantPathSite {
  decide(request: AccessRequest): Decision;
  /** The second look. */
  obstacle(decision: Decision, presentation: Presentation): Reason | undefined;
  door(doorId: string): Door | undefined;
  /** Keeps place and count for a grant until its outcome is recorded, or the returned function is called. */
  reserve(decision: Decision, request: AccessRequest): () => void;
  /** The journal refused a grant as `race_lost`: makes sure that it knows the revision in force. */
  announcePolicy(): void;
  indicate(point: Point, indication: Indication): void;
}

export interface GrantPathHandlers {
  /** Somebody was decided anew on the way; `before` is the decision until then. */
  decided(candidate: Candidate, before: Decision): void;
  /** The lock was released for them. */
  released(party: readonly Candidate[]): void;
}

type Saved =
  | { readonly kind: 'durable'; readonly entry: AppendedEntry }
  | { readonly kind: 'late'; readonly append: Promise<AppendedEntry> }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Somebody of a party on the way to the lock. */
interface Member extends Candidate {
  /** Gives up the place that is kept. */
  readonly free: () => void;
}
interface Recorded extends Candidate {
  readonly id: Promise<EntryId | undefined>;
}

const isRaceLost = (saved: Saved): boolean =>
  saved.kind === 'failed' && isSparcError(saved.error, 'ERR_LEDGER_RACE_LOST');

/**
 * From a grant to the lock: recorded, looked at again, released, and its outcome recorded. Those who pass together have a
 * record and an outcome each, and one release. Whatever goes wrong before the release is a denial, but never keeps anybody in.
 */
export class GrantPath {
  constructor(
    private readonly clock: Clock,
    private readonly recorder: Recorder,
    private readonly site: GrantPathSite,
    private readonly handlers: GrantPathHandlers,
  ) {}

  /** `granted`: one at least, all of them at one access point. */
  async run(granted: readonly Candidate[]): Promise<void> {
    let party = granted.map((each) => this.#reserve(each));
    for (let decisionsCount = 1; party.length > 0; decisionsCount++) {
      const saved = await Promise.all(party.map((each) => this.#save(each)));
      const durable = party.flatMap((each, at) => {
        const own = saved[at];
        return own?.kind === 'durable' ? [{ ...each, id: Promise.resolve(own.entry.id) }] : [];
      });
      if (durable.length === party.length) return this.#release(durable);
      const lostRace = saved.some(isRaceLost);
      if (lostRace && decisionsCount < DECISIONS_MAX) {
        for (const each of durable) this.#notExecuted(each, 'race_lost');
        party = this.#decideAgain(party);
        continue;
      }
      const { point } = granted[0]?.presentation ?? {};
      if (point && (isEgress(point.accessPoint) || (!lostRace && isVolatile(point)))) {
        return this.#release(party.map((each, at) => this.#recordVolatile(each, saved[at])));
      }
      const isLate = saved.some(({ kind }) => kind === 'late');
      const reason = isLate ? 'record_timeout' : lostRace ? 'race_lost' : 'record_failed';
      for (const each of durable) this.#notExecuted(each, reason);
      for (const own of saved) if (own.kind === 'late') this.#abandonWhenItLands(own.append);
      for (const each of party) {
        each.free();
        this.deny({ ...each, decision: denied(each.decision, reason) });
      }
      return;
    }
  }

  /** Recorded and shown at once; no denial waits for anything. */
  deny({ presentation: { point }, decision }: Candidate): void {
    void this.recorder.record(recordOf(point, decision));
    this.site.indicate(point, 'denied');
  }

  #reserve(candidate: Candidate): Member {
    return { ...candidate, free: this.site.reserve(candidate.decision, candidate.presentation.request) };
  }

  #decideAgain(party: readonly Member[]): Member[] {
    this.site.announcePolicy();
    for (const { free } of party) free();
    const { passing, refused } = whoPasses(
      party.map(({ presentation, decision: before }) => {
        const again = { presentation, decision: this.site.decide(presentation.request) };
        this.handlers.decided(again, before);
        return again;
      }),
    );
    for (const each of refused) this.deny(each);
    return passing.map((each) => this.#reserve(each));
  }

  #save({ presentation, decision }: Candidate): Promise<Saved> {
    const { policyRevision, revocations } = decision.inputs;
    const append = this.recorder.commit({
      record: recordOf(presentation.point, decision),
      ...(decision.withoutPolicy === undefined && { expectedPolicyRevision: policyRevision }),
      seenRevocation: revocations?.newest ?? 0,
    });
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

  #recordVolatile(candidate: Candidate, saved: Saved | undefined): Recorded {
    if (saved?.kind === 'durable') return { ...candidate, id: Promise.resolve(saved.entry.id) };
    const { point } = candidate.presentation;
    const record = recordOf(point, candidate.decision);
    const recordLater = () => this.recorder.record(record);
    const id = saved?.kind === 'late' ? saved.append.then((entry) => entry.id, recordLater) : recordLater();
    void this.recorder.record({ ...subjectOf(candidate), name: 'journal.volatile_grant' });
    return { ...candidate, id };
  }

  /** The second look, and the lock. */
  async #release(party: readonly Recorded[]): Promise<void> {
    const [first] = party;
    if (first === undefined) return;
    const { point, startedAtMs } = first.presentation;
    const leftMs = startedAtMs + limitMs(first.presentation) - this.clock.monotonicMs();
    const isLate = leftMs <= 0 && !isEgress(point.accessPoint);
    const door = this.site.door(point.accessPoint.door);
    const { passing, refused } = whoPasses(
      party.map((each) => {
        const obstacle = isLate ? 'record_timeout' : this.site.obstacle(each.decision, each.presentation);
        const reason = obstacle ?? (door === undefined ? 'point_unknown' : undefined);
        return reason === undefined ? each : { ...each, decision: denied(each.decision, reason) };
      }),
    );
    for (const each of refused) this.#notExecuted(each, each.decision.reason);
    const [cause, ...companions] = passing.map((each) => ({ id: each.id, subject: subjectOf(each) }));
    if (cause === undefined || door === undefined) {
      this.site.indicate(point, 'denied');
      return;
    }
    const leaves = isEgress(point.accessPoint);
    const ttlMs = leaves ? limitMs(first.presentation) : leftMs;
    const extended = passing.some(({ decision }) => decision.extendedTime === true);
    const outcome = await door.release({ ...cause, companions }, ttlMs, { extended, leaves });
    // Green only for what the output acknowledged (access-control 4.0, rule 11).
    this.site.indicate(point, outcome.kind === 'acknowledged' ? 'granted' : 'denied');
    for (const { id, subject } of [cause, ...companions]) this.#outcome(outcome, subject, id, extended);
    if (outcome.kind === 'acknowledged') this.handlers.released(passing);
  }

  #outcome(outcome: CommandOutcome, subject: Subject, id: Recorded['id'], extended: boolean): void {
    switch (outcome.kind) {
      case 'acknowledged':
        void this.recorder.record(
          { ...subject, name: 'access.released', ...(extended && { detail: { extended: 'true' } }) },
          id,
        );
        break;
      case 'notExecuted':
        void this.recorder.record({ ...subject, name: 'access.not_executed', code: outcome.error.code }, id);
        break;
      case 'unknown':
        void this.recorder.record({ ...subject, name: 'access.outcome_unknown', code: outcome.error.code }, id);
        break;
    }
  }

  #notExecuted(recorded: Recorded, reason: Reason = 'internal_error'): void {
    void this.recorder.record({ ...subjectOf(recorded), name: 'access.not_executed', reason }, recorded.id);
  }
}

const limitMs = ({ point }: Presentation): number =>
  point.accessPoint.recordTimeoutMs ?? ACCESS_POINT_DEFAULTS.recordTimeoutMs;

const isVolatile = ({ accessPoint }: Point): boolean => accessPoint.onRecordFailure === 'grantVolatile';

/** A disk that hangs is a record failure as well, so those that release without a record leave time to do so. */
function patienceMs(presentation: Presentation): number {
  const halfMs = limitMs(presentation) / 2;
  if (isEgress(presentation.point.accessPoint)) return Math.min(EXIT_RECORD_PATIENCE_MS, halfMs);
  return isVolatile(presentation.point) ? halfMs : limitMs(presentation);
}

const recordOf = ({ accessPoint }: Point, decision: Decision) => ({
  ...decisionRecord(decision),
  doorId: accessPoint.door,
});

type Subject = ReturnType<typeof subjectOf>;

function subjectOf({ presentation, decision: { accessPointId, credentialId, holderId } }: Candidate) {
  return {
    accessPointId,
    doorId: presentation.point.accessPoint.door,
    ...(credentialId === undefined ? {} : { credentialId }),
    ...(holderId === undefined ? {} : { holderId }),
  };
}
