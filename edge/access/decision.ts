import type { CardRecord, DecisionInputs, EventOf, Reason } from '@sparc/protocol/events';

export type DecisionAlarm = 'credential.alarm' | 'access.duress' | 'access.override';

/**
 * The answer to one presentation, with all it was made from: `replay` of the recorded part gives it again.
 * `pending`: a right PIN is all that is missing. When none comes in time, the same decision is recorded as a denial.
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
  /** Grants of emergency credentials have an event of their own. */
  readonly emergency?: true;
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

type Recorded<Name extends 'access.granted' | 'access.granted.emergency' | 'access.denied' | 'access.pin_pending'> =
  EventOf<Name> & Pick<Decision, 'accessPointId' | 'card' | 'inputs'>;

/** The body of the entry that records a decision. */
export function decisionRecord(
  decision: Decision,
): Recorded<'access.granted' | 'access.granted.emergency' | 'access.denied' | 'access.pin_pending'> {
  const { outcome, reason = 'internal_error', accessPointId, credentialId, holderId, alsoFailed, flags } = decision;
  const presentation = {
    accessPointId,
    ...(credentialId !== undefined && { credentialId }),
    ...(holderId !== undefined && { holderId }),
    card: decision.card,
    inputs: decision.inputs,
  };
  if (outcome === 'grant') {
    const name = decision.emergency ? 'access.granted.emergency' : 'access.granted';
    return { ...presentation, name, ...(flags.length > 0 && { flags }) };
  }
  const name = outcome === 'deny' ? 'access.denied' : 'access.pin_pending';
  return { ...presentation, name, reason, ...(alsoFailed.length > 0 && { alsoFailed }) };
}
