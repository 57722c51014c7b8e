import type { EventOf } from '@sparc/protocol/events';
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
  const out = new Set(party.flatMap(({ decision }) => (decision.outcome === 'grant' ? [] : (decision.holderId ?? []))));
  const judged = party.map((candidate) => {
    const { decision } = candidate;
    const { partner, escort } = decision.inputs;
    if (decision.outcome === 'pending')
      return { ...candidate, decision: denied(decision, decision.reason ?? 'host_timeout') };
    if (decision.outcome === 'deny') return candidate;
    if (partner !== undefined && out.has(partner.holderId))
      return { ...candidate, decision: denied(decision, 'second_person_required') };
    if (escort !== undefined && out.has(escort.holderId))
      return { ...candidate, decision: denied(decision, 'escort_required') };
    return candidate;
  });
  return {
    passing: judged.filter(({ decision }) => decision.outcome === 'grant'),
    refused: judged.filter(({ decision }) => decision.outcome !== 'grant'),
  };
}

/** What an alarm beside a decision repeats of it. */
export function alarmSubject({ presentation, decision }: Candidate): Omit<EventOf<DecisionAlarm>, 'name'> {
  const { name: _name, inputs: _inputs, ...subject } = decisionRecord(decision);
  return { ...subject, doorId: presentation.point.accessPoint.door };
}
