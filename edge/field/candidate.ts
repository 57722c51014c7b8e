import type { EventOf, Reason } from '@sparc/protocol/events';
import { decisionRecord, denied, type AccessRequest, type Decision, type DecisionAlarm } from '../access/index.js';
import type { Point } from './site-index.js';

/** A card at a reader, from its last byte (or that of its PIN) on. */
export interface Presentation {
  readonly point: Point;
  readonly request: AccessRequest;
  readonly startedAtMs: number;
}

/** Somebody at a reader, and the decision about them as it stands. */
export interface Candidate {
  readonly presentation: Presentation;
  readonly decision: Decision;
}

/** All that is missing is the word of a host, or nothing. */
export const isThrough = ({ decision }: Candidate): boolean =>
  decision.outcome === 'grant' || (decision.outcome === 'pending' && decision.reason === undefined);

/** Who of those that were to pass together still does: nobody without a partner or an escort who was among them. */
export function whoPasses<T extends Candidate>(party: readonly T[]): { readonly passing: T[]; readonly refused: T[] } {
  const isOut = ({ decision }: Candidate) => decision.outcome !== 'grant';
  const out = new Set(party.filter(isOut).map(({ decision }) => decision.holderId));
  const judged = party.map((candidate) => {
    const reason = fallOf(candidate.decision, out);
    return reason === undefined ? candidate : { ...candidate, decision: denied(candidate.decision, reason) };
  });
  return { passing: judged.filter((each) => !isOut(each)), refused: judged.filter(isOut) };
}

/** Why a decision that is no denial does not hold any more; `out`: holders who do not pass. */
function fallOf(decision: Decision, out: ReadonlySet<string | undefined>): Reason | undefined {
  const { partner, escort } = decision.inputs;
  switch (decision.outcome) {
    case 'deny':
      return undefined;
    case 'pending':
      return decision.reason ?? 'host_timeout';
    case 'grant':
      if (partner !== undefined && out.has(partner.holderId)) return 'second_person_required';
      return escort !== undefined && out.has(escort.holderId) ? 'escort_required' : undefined;
  }
}

/** What an alarm beside a decision repeats of it. */
export function alarmSubject({ presentation, decision }: Candidate): Omit<EventOf<DecisionAlarm>, 'name'> {
  const { name: _name, inputs: _inputs, ...subject } = decisionRecord(decision);
  return { ...subject, doorId: presentation.point.accessPoint.door };
}
