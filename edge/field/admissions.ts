import type { EventOf } from '@sparc/protocol/events';
import { isEgress } from '@sparc/protocol/policy';
import type { Clock } from '@sparc/protocol/ports';
import {
  decisionRecord,
  denied,
  ESCORT_RATIO_MAX,
  type AccessRequest,
  type Decision,
  type DecisionAlarm,
} from '../access/index.js';
import type { HostDesk } from '../host/index.js';
import { alarmSubject, isThrough, whoPasses, type Candidate } from './candidate.js';
import { ACCESS_POINT_DEFAULTS, GRANTS_WAITING_MAX, PROCESSING_AFTER_MS } from './field-defaults.js';
import { GrantPath, type GrantPathSite } from './grant-path.js';
import { Meeting } from './meeting.js';
import { codeOf, type FieldLog, type Recorder } from './recorder.js';
import { portKey, type Point } from './site-index.js';

export interface AdmissionSite extends GrantPathSite {
  /** The lock was released for them. */
  released(party: readonly Candidate[]): void;
  /** For the host. */
  siteId(): string;
  /** Whether the holder of a decision may vouch for visitors there: the right behind it says so, and nothing was revoked since. */
  mayEscort(decision: Decision): boolean;
}

export interface AdmissionDeps {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly site: AdmissionSite;
  readonly host: HostDesk;
  readonly log: FieldLog;
}

/**
 * From a person whose own checks hold to a passage: the second person or the escort is waited for, the host is asked, and
 * those who pass together go on together. Everybody is decided anew, with the others as an input, before anything opens.
 */
export class Admissions {
  readonly #meetings = new Map<string, Meeting>();
  readonly #grants: GrantPath;
  #grantsWaitingCount = 0;

  constructor(private readonly deps: AdmissionDeps) {
    const { clock, recorder, site } = deps;
    this.#grants = new GrantPath(clock, recorder, site, {
      decided: (candidate, before) => this.alarm(candidate, before.alarms),
      released: (party) => {
        site.released(party);
        this.#nowEscorts(party);
      },
    });
  }

  /** Everything about a card but its PIN is decided. */
  arrive(candidate: Candidate): void {
    const { decision } = candidate;
    if (isThrough(candidate)) this.#passes(candidate);
    else if (decision.outcome === 'deny') this.#grants.deny(candidate);
    else if (decision.reason === 'second_person_required') this.#meetPartner(candidate);
    else this.#meetEscort(candidate);
  }

  deny(candidate: Candidate): void {
    this.#grants.deny(candidate);
  }

  /** What a decision alarms of, whatever its outcome; but for what was alarmed of before. */
  alarm(candidate: Candidate, before: readonly DecisionAlarm[] = []): void {
    const { log, recorder } = this.deps;
    const { decision } = candidate;
    if (decision.error !== undefined) {
      log.error({ accessPointId: decision.accessPointId, code: codeOf(decision.error) }, 'decision failed');
    }
    for (const name of decision.alarms) {
      if (before.includes(name)) continue;
      const alarm: EventOf<DecisionAlarm> = { ...alarmSubject(candidate), name };
      void recorder.record(alarm);
    }
  }

  /** Access points may be gone: whoever waits is denied. */
  reset(): void {
    for (const meeting of this.#meetings.values()) meeting.disband();
    this.#meetings.clear();
  }

  stop(): void {
    for (const meeting of this.#meetings.values()) meeting.stop();
    this.deps.host.stop();
  }

  /** Visitors who wait for an escort pass with one. */
  #passes(newcomer: Candidate): void {
    const party = [newcomer];
    const meeting = this.#meetingAt(newcomer);
    const visitors = meeting.waitingFor('escort_required');
    if (visitors.length > 0 && this.deps.site.mayEscort(newcomer.decision)) {
      meeting.leave(visitors);
      for (const visitor of visitors) {
        const escort = { ...idsOf(newcomer), visitorsCount: party.length };
        const companions = party.map((each) => idsOf(each).holderId);
        const decided = this.#again(visitor, { escort, companions }, newcomer.presentation.startedAtMs);
        if (isThrough(decided)) party.push(decided);
        else this.#refuse(decided);
      }
    }
    void this.#admit(party);
  }

  #meetPartner(newcomer: Candidate): void {
    const meeting = this.#meetingAt(newcomer);
    const [first] = meeting.waitingFor('second_person_required');
    if (first === undefined) return this.#wait(newcomer);
    const second = this.#withPartner(newcomer, first, newcomer);
    if (second.decision.reason === 'second_person_same_holder') return this.#refuse(second);
    const one = this.#withPartner(first, newcomer, newcomer);
    if (isThrough(one) && !isThrough(second)) return this.#refuse(second);
    meeting.leave([first]);
    if (isThrough(one)) return void this.#admit([one, second]);
    this.#refuse(one);
    // Whoever qualifies waits for somebody else.
    if (isThrough(second)) this.#wait(newcomer);
    else this.#refuse(second);
  }

  /** A visitor's partner has to be the escort. */
  #withPartner(one: Candidate, other: Candidate, newcomer: Candidate): Candidate {
    const partner = idsOf(other);
    const isVisitor = one.decision.alsoFailed.includes('escort_required');
    const more = {
      partner,
      companions: [partner.holderId],
      ...(isVisitor && { escort: { ...partner, visitorsCount: 1 } }),
    };
    return this.#again(one, more, newcomer.presentation.startedAtMs);
  }

  #meetEscort(visitor: Candidate, startedAtMs = visitor.presentation.startedAtMs): void {
    const meeting = this.#meetingAt(visitor);
    const { escort } = meeting;
    // Whoever was let in a moment ago may have been revoked since.
    if (escort === undefined || !this.deps.site.mayEscort(escort.candidate.decision)) return this.#wait(visitor);
    const visitorsCount = escort.visitorsCount + 1;
    const decided = this.#again(visitor, { escort: { ...idsOf(escort.candidate), visitorsCount } }, startedAtMs);
    if (!isThrough(decided)) return this.#refuse(decided);
    meeting.follow({ ...escort, visitorsCount });
    void this.#admit([decided]);
  }

  /** From whose checks all hold to the lock. Never rejects. */
  async #admit(party: readonly Candidate[]): Promise<void> {
    const point = party[0]?.presentation.point;
    if (point === undefined) return;
    const { clock, log, site } = this.deps;
    if (this.#grantsWaitingCount >= GRANTS_WAITING_MAX && !isEgress(point.accessPoint)) {
      for (const each of party) this.#grants.deny({ ...each, decision: denied(each.decision, 'record_failed') });
      return;
    }
    this.#grantsWaitingCount += 1;
    const processing = clock.setTimer(PROCESSING_AFTER_MS, () => site.indicate(point, 'processing'));
    try {
      const isHostDue = party.some(({ decision }) => decision.outcome === 'pending');
      const admitted = isHostDue ? this.#heard(party, await this.#askHost(point, party)) : party;
      // Place and count are kept in the instant of the decision: nothing is waited for in between.
      await this.#grants.run(admitted);
    } catch (error) {
      log.error({ accessPointId: point.accessPoint.id, code: codeOf(error) }, 'grant failed');
      for (const each of party) this.#grants.deny({ ...each, decision: denied(each.decision, 'internal_error') });
    } finally {
      processing.cancel();
      this.#grantsWaitingCount -= 1;
    }
  }

  #askHost(point: Point, party: readonly Candidate[]): ReturnType<HostDesk['ask']> {
    const { clock, host, recorder, site } = this.deps;
    const { accessPoint } = point;
    for (const { decision } of party) void recorder.record({ ...decisionRecord(decision), doorId: accessPoint.door });
    site.indicate(point, 'processing');
    const question = {
      siteId: site.siteId(),
      accessPointId: accessPoint.id,
      doorId: accessPoint.door,
      atUnixMs: clock.wall().unixMs,
      persons: party.map(idsOf),
    };
    return host.ask(question, accessPoint.hostAuthorisation?.timeoutMs ?? 0);
  }

  /** Who passes by what the host said; meanwhile anything may have changed. */
  #heard(party: readonly Candidate[], hostAnswer: Awaited<ReturnType<HostDesk['ask']>>): readonly Candidate[] {
    const nowMs = this.deps.clock.monotonicMs();
    const { passing, refused } = whoPasses(party.map((each) => this.#again(each, { hostAnswer }, nowMs)));
    for (const each of refused) this.#grants.deny(each);
    return passing;
  }

  /** Visitors may follow an escort for whom the lock was released, for a while. */
  #nowEscorts(released: readonly Candidate[]): void {
    const { clock, site } = this.deps;
    for (const candidate of released) {
      const { point } = candidate.presentation;
      if (!site.mayEscort(candidate.decision)) continue;
      const ids = idsOf(candidate);
      const nowMs = clock.monotonicMs();
      const untilMs = nowMs + (point.accessPoint.escortWindowMs ?? ACCESS_POINT_DEFAULTS.escortWindowMs);
      const visitorsCount = released.filter(({ decision }) => decision.inputs.escort?.holderId === ids.holderId).length;
      const meeting = this.#meetingAt(candidate);
      meeting.follow({ candidate, untilMs, visitorsCount });
      // Those who came while the escort's grant was on its way.
      const visitors = meeting.waitingFor('escort_required');
      meeting.leave(visitors);
      for (const visitor of visitors) this.#meetEscort(visitor, nowMs);
    }
  }

  #again({ presentation, decision: before }: Candidate, more: Partial<AccessRequest>, startedAtMs: number): Candidate {
    const next = { ...presentation, startedAtMs, request: { ...presentation.request, ...more } };
    const again = { presentation: next, decision: this.deps.site.decide(next.request) };
    this.alarm(again, before.alarms);
    return again;
  }

  #wait(candidate: Candidate): void {
    const { recorder, site } = this.deps;
    const { point } = candidate.presentation;
    const { accessPoint } = point;
    const windowMs =
      candidate.decision.reason === 'escort_required'
        ? (accessPoint.escortWindowMs ?? ACCESS_POINT_DEFAULTS.escortWindowMs)
        : (accessPoint.twoPersonWindowMs ?? ACCESS_POINT_DEFAULTS.twoPersonWindowMs);
    const waitingMax = accessPoint.escortRatioMax ?? ESCORT_RATIO_MAX;
    if (!this.#meetingAt(candidate).wait(candidate, windowMs, waitingMax)) return;
    void recorder.record({ ...decisionRecord(candidate.decision), doorId: accessPoint.door });
    site.indicate(point, 'cardRequired');
  }

  /** Denied for what the others have to do with it. */
  #refuse(candidate: Candidate): void {
    const { decision } = candidate;
    const reason = decision.reason ?? 'internal_error';
    this.#grants.deny(decision.outcome === 'deny' ? candidate : { ...candidate, decision: denied(decision, reason) });
  }

  #meetingAt({ presentation }: Candidate): Meeting {
    const { reader } = presentation.point;
    const key = portKey(reader.device, reader.number);
    let meeting = this.#meetings.get(key);
    if (!meeting) {
      meeting = new Meeting(this.deps.clock, ({ candidate, reason }) =>
        this.#grants.deny({ ...candidate, decision: denied(candidate.decision, reason) }),
      );
      this.#meetings.set(key, meeting);
    }
    return meeting;
  }
}

/** Of somebody whose credential and holder are known, which `isThrough` and waiting take for granted. */
const idsOf = ({ decision: { credentialId = '', holderId = '' } }: Candidate) => ({ credentialId, holderId });
