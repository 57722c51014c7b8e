import type { CardRecord, DecisionInputs, EventOf, Reason } from '@sparc/protocol/events';

export type DecisionAlarm = 'credential.alarm' | 'access.duress' | 'access.override';

/**
 * The answer to one presentation, with all it was made from: `replay` of the recorded part gives it again.
 * `pending`: what the reason names is all that is missing, a PIN or somebody else's card; with no reason, the word of a
 * host. When it does not come in time, the same decision is recorded as a denial.
 */
export interface Decision {
  readonly outcome: 'grant' | 'deny' | 'pending';
  /** The highest-ranking failed check; undefined on a grant. */
  readonly reason: Reason | undefined;
  /** The other failed checks, in rank order. */
  readonly alsoFailed: readonly Reason[];
  /** On a grant at an exit: the checks that failed and, there, do not deny. */
  readonly flags: readonly Reason[];
  /** Events to record whatever the outcome. */
  readonly alarms: readonly DecisionAlarm[];
  readonly accessPointId: string;
  readonly credentialId: string | undefined;
  readonly holderId: string | undefined;
  readonly card: CardRecord;
  readonly inputs: DecisionInputs;
  /** The holder needs longer at doors. */
  readonly extendedTime?: boolean | undefined;
  /** Why it was granted while no policy is readable: a credential of the emergency list, or a facility code alone. */
  readonly withoutPolicy?: 'emergency' | 'facility';
  /** What was thrown, for the log, when the reason is `internal_error`. */
  readonly error?: unknown;
}

/** The denial that a pending decision or a grant becomes when its PIN, its record or its release fails. */
export function denied(decision: Decision, reason: Reason): Decision {
  const failed = [...(decision.reason ? [decision.reason] : []), ...decision.alsoFailed, ...decision.flags];
  return {
    ...decision,
    outcome: 'deny',
    reason,
    alsoFailed: failed.filter((other) => other !== reason),
    flags: [],
  };
}

const PENDING_EVENTS = new Map<Reason, 'access.second_person_pending' | 'access.escort_pending'>([
  ['second_person_required', 'access.second_person_pending'],
  ['escort_required', 'access.escort_pending'],
]);

const GRANTS_WITHOUT_POLICY = {
  emergency: 'access.granted.emergency',
  facility: 'access.granted.facility',
} as const;

type DecisionEvent =
  | 'access.granted'
  | 'access.granted.emergency'
  | 'access.granted.facility'
  | 'access.denied'
  | 'access.pin_pending'
  | 'access.second_person_pending'
  | 'access.escort_pending'
  | 'access.host_pending';
type Recorded = EventOf<DecisionEvent> & Pick<Decision, 'accessPointId' | 'card' | 'inputs'>;

/** The body of the entry that records a decision. */
export function decisionRecord(decision: Decision): Recorded {
  const { outcome, reason, accessPointId, credentialId, holderId, alsoFailed, flags } = decision;
  const presentation = {
    accessPointId,
    ...(credentialId !== undefined && { credentialId }),
    ...(holderId !== undefined && { holderId }),
    card: decision.card,
    inputs: decision.inputs,
  };
  if (outcome === 'grant') {
    const name =
      decision.withoutPolicy === undefined ? 'access.granted' : GRANTS_WITHOUT_POLICY[decision.withoutPolicy];
    return { ...presentation, name, ...(flags.length > 0 && { flags }) };
  }
  if (outcome === 'pending' && reason === undefined) {
    return { ...presentation, name: 'access.host_pending', ...(flags.length > 0 && { flags }) };
  }
  const denial = { ...presentation, reason: reason ?? 'internal_error', ...(alsoFailed.length > 0 && { alsoFailed }) };
  const name = outcome === 'deny' ? 'access.denied' : (PENDING_EVENTS.get(denial.reason) ?? 'access.pin_pending');
  return { ...denial, name };
}
