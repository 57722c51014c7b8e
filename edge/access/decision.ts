import type { CardRecord, DecisionInputs, EventName, EventRecord, Reason } from '@sparc/protocol/events';

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
  readonly alarms: readonly EventName[];
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

function eventName({ outcome, emergency }: Decision): EventName {
  switch (outcome) {
    case 'grant':
      return emergency ? 'access.granted.emergency' : 'access.granted';
    case 'deny':
      return 'access.denied';
    case 'pending':
      return 'access.pin_pending';
  }
}

/** The body of the entry that records a decision. */
export function decisionRecord(decision: Decision): EventRecord {
  const { accessPointId, credentialId, holderId, reason, alsoFailed, flags, card, inputs } = decision;
  return {
    name: eventName(decision),
    accessPointId,
    ...(credentialId !== undefined && { credentialId }),
    ...(holderId !== undefined && { holderId }),
    ...(reason !== undefined && { reason }),
    ...(alsoFailed.length > 0 && { alsoFailed }),
    ...(flags.length > 0 && { flags }),
    card,
    inputs,
  };
}
