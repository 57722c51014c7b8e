import { RAW_BITS_MAX } from '@sparc/protocol/card-format';
import type { EventOf, Reason } from '@sparc/protocol/events';
import { takesPinAlone } from '@sparc/protocol/policy';
import type { CardRead, Clock, KeypadEntry, Timer } from '@sparc/protocol/ports';
import {
  decisionRecord,
  denied,
  NO_CARD,
  NO_LOCK_OUTS,
  READ_AGE_MAX_MS,
  recordPinTry,
  WITHOUT_CARD,
  type AccessRequest,
  type LockOutState,
} from '../access/index.js';
import { Admissions, type AdmissionDeps, type AdmissionSite } from './admissions.js';
import { alarmSubject, type Candidate, type Presentation } from './candidate.js';
import { ACCESS_POINT_DEFAULTS } from './field-defaults.js';
import { NOBODY, step, type PresentationInput, type PresentationState } from './presentation-machine.js';
import { portKey, type Point } from './site-index.js';

export interface PresentationSite extends AdmissionSite {
  point(deviceId: string, readerNumber: number): Point | undefined;
  /** Why a reader that the plan does not know grants nothing. */
  unknownPointReason(): Reason;
  isTampered(deviceId: string): boolean;
}

export interface PresentationDeps extends AdmissionDeps {
  readonly site: PresentationSite;
}

/** One reader's machine, and the decision that waits for its PIN. */
interface Session {
  state: PresentationState;
  waiting: Candidate | undefined;
  /** What the keys so far say of a PIN that is typed without a card. */
  typed: AccessRequest | undefined;
  timer: Timer | undefined;
}

/** From bytes of a reader to a decision: debounce, PIN, lock-out. Whatever is thrown on the way is a denial. */
export class Presentations {
  readonly #sessions = new Map<string, Session>();
  readonly #admissions: Admissions;
  readonly #clock: Clock;
  readonly #site: PresentationSite;
  #lockOuts: LockOutState = NO_LOCK_OUTS;

  constructor(private readonly deps: PresentationDeps) {
    this.#clock = deps.clock;
    this.#site = deps.site;
    this.#admissions = new Admissions(deps);
  }

  get lockOuts(): LockOutState {
    return this.#lockOuts;
  }

  onCardRead(read: CardRead): void {
    const point = this.#site.point(read.deviceId, read.readerNumber);
    const { deviceId, bitCount, bits } = read;
    if (point === undefined) {
      const reason = this.#site.unknownPointReason();
      void this.deps.recorder.record({ name: 'access.denied', deviceId, reason, ...rawCard(read) });
      return;
    }
    const { id: accessPointId, door: doorId } = point.accessPoint;
    if (bitCount > RAW_BITS_MAX) {
      const reason = 'format_unknown';
      void this.deps.recorder.record({ name: 'access.denied', accessPointId, doorId, reason, ...rawCard(read) });
      this.#site.indicate(point, 'denied');
      return;
    }
    const card = { bitCount, bits };
    const presentation: Presentation = {
      point,
      startedAtMs: read.receivedAtMs,
      request: {
        accessPointId,
        card,
        link: { secure: read.secure, tampered: this.#site.isTampered(deviceId) },
        readAgeMs: read.ageMaxMs + this.#clock.monotonicMs() - read.receivedAtMs,
      },
    };
    const isOld = !(presentation.request.readAgeMs <= READ_AGE_MAX_MS);
    this.#step(point, { kind: 'card', nowMs: this.#clock.monotonicMs(), card, isOld }, presentation);
  }

  onKeypad(entry: KeypadEntry): void {
    const point = this.#site.point(entry.deviceId, entry.readerNumber);
    if (point === undefined) return;
    const { accessPoint } = point;
    const nowMs = this.#clock.monotonicMs();
    const session = this.#session(point);
    const isAlone = session.waiting === undefined;
    if (isAlone && !takesPinAlone(accessPoint)) return;
    const before = session.waiting?.presentation.request ?? session.typed;
    const keysAgeMs = entry.ageMaxMs + nowMs - entry.receivedAtMs;
    const request: AccessRequest = {
      ...(before ?? { accessPointId: accessPoint.id, card: NO_CARD }),
      // Keys are trusted as far as the link they came over.
      link: {
        secure: before?.link.secure !== false && entry.secure,
        tampered: this.#site.isTampered(entry.deviceId),
      },
      readAgeMs: Math.max(before?.readAgeMs ?? 0, keysAgeMs),
    };
    const timeoutMs = accessPoint.pinTimeoutMs ?? ACCESS_POINT_DEFAULTS.pinTimeoutMs;
    const keys = { kind: 'keys', nowMs, keys: entry.keys, ...(isAlone && { aloneTimeoutMs: timeoutMs }) } as const;
    session.typed = isAlone ? request : undefined;
    this.#step(point, keys, { point, startedAtMs: entry.receivedAtMs, request });
  }

  /** Access points may be gone: whoever waited is denied, and debouncing starts anew. */
  reset(): void {
    this.#admissions.reset();
    for (const session of this.#sessions.values()) {
      session.timer?.cancel();
      this.#abandon(session);
    }
    this.#sessions.clear();
  }

  stop(): void {
    this.#admissions.stop();
    for (const { timer } of this.#sessions.values()) timer?.cancel();
  }

  #step(point: Point, input: PresentationInput, presentation?: Presentation): void {
    const session = this.#session(point);
    const { state, effects } = step(session.state, input);
    session.state = state;
    if (state.pin?.isAlone !== true) session.typed = undefined;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'present':
          if (presentation !== undefined) this.#decide(session, presentation);
          break;
        case 'enter':
          session.waiting = undefined;
          if (presentation === undefined) break;
          this.#decide(session, { ...presentation, request: { ...presentation.request, pin: effect.pin } });
          break;
        case 'enterAlone':
          if (presentation === undefined) break;
          this.#decide(session, { ...presentation, request: { ...presentation.request, pin: effect.pin } });
          break;
        case 'abandon':
          this.#abandon(session);
          break;
      }
    }
    this.#arm(point, session);
  }

  #session({ reader }: Point): Session {
    const key = portKey(reader.device, reader.number);
    let session = this.#sessions.get(key);
    if (!session)
      this.#sessions.set(key, (session = { state: NOBODY, waiting: undefined, typed: undefined, timer: undefined }));
    return session;
  }

  #decide(session: Session, presentation: Presentation): void {
    const candidate = { presentation, decision: this.#site.decide(presentation.request) };
    this.#countPin(candidate);
    this.#admissions.alarm(candidate);
    if (candidate.decision.reason === 'pin_required' && candidate.decision.outcome === 'pending') {
      this.#awaitPin(session, candidate);
    } else {
      if (presentation.request.pin !== undefined && candidate.decision.outcome === 'deny') {
        session.state = step(session.state, { kind: 'pinRefused', nowMs: this.#clock.monotonicMs() }).state;
      }
      this.#admissions.arrive(candidate);
    }
  }

  #awaitPin(session: Session, candidate: Candidate): void {
    const { presentation, decision } = candidate;
    const { point } = presentation;
    session.waiting = candidate;
    const timeoutMs = point.accessPoint.pinTimeoutMs ?? ACCESS_POINT_DEFAULTS.pinTimeoutMs;
    session.state = step(session.state, { kind: 'pinWanted', nowMs: this.#clock.monotonicMs(), timeoutMs }).state;
    void this.deps.recorder.record({ ...decisionRecord(decision), doorId: point.accessPoint.door });
    this.#site.indicate(point, 'pinRequired');
  }

  #abandon(session: Session): void {
    const { waiting } = session;
    session.waiting = undefined;
    if (waiting) this.#admissions.deny({ ...waiting, decision: denied(waiting.decision, 'pin_required') });
  }

  #countPin({ presentation, decision }: Candidate): void {
    const { accessPoint } = presentation.point;
    const { inputs } = decision;
    const isAlone = inputs.pinAlone !== undefined;
    const credentialId = isAlone ? WITHOUT_CARD : decision.credentialId;
    // One's own PIN between guesses at those of others forgives no guess.
    const isForgiving = isAlone && inputs.pin !== 'wrong';
    if (credentialId === undefined || inputs.pin === 'none' || inputs.lockedOut || isForgiving) return;
    const counted = recordPinTry(
      this.#lockOuts,
      { credentialId, readerId: accessPoint.reader, right: inputs.pin !== 'wrong', nowMs: this.#clock.monotonicMs() },
      {
        attemptsMax: accessPoint.pinAttemptsMax ?? ACCESS_POINT_DEFAULTS.pinAttemptsMax,
        lockOutMs: accessPoint.pinLockOutMs ?? ACCESS_POINT_DEFAULTS.pinLockOutMs,
      },
    );
    this.#lockOuts = counted.state;
    if (!counted.lockedOut && !counted.alarm) return;
    const scope = counted.lockedOut ? 'this reader' : 'wrong PINs at several readers';
    const subject = alarmSubject({ presentation, decision });
    void this.deps.recorder.record({ ...subject, name: 'credential.locked_out', detail: { scope } });
  }

  #arm(point: Point, session: Session): void {
    session.timer?.cancel();
    session.timer = undefined;
    const untilMs = session.state.pin?.untilMs;
    if (untilMs === undefined) return;
    const delayMs = Math.max(0, untilMs - this.#clock.monotonicMs());
    session.timer = this.#clock.setTimer(delayMs, () => {
      this.#step(point, { kind: 'time', nowMs: this.#clock.monotonicMs() });
    });
  }
}

/** A read as an entry holds it: one longer than any card only by its length. */
export function rawCard({ bitCount, bits }: CardRead): Pick<EventOf<'access.denied'>, 'card' | 'detail'> {
  return bitCount <= RAW_BITS_MAX ? { card: { bitCount, bits } } : { detail: { bitCount: String(bitCount) } };
}
