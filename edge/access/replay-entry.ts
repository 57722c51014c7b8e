import { isDeepStrictEqual } from 'node:util';
import type { EventRecord, Reason } from '@sparc/protocol/events';
import { replay, type RecordedPresentation } from './decide.js';
import { decisionRecord, denied, type Decision } from './decision.js';
import { replayEmergency, type EmergencyView } from './emergency.js';
import type { PolicyView } from './policy-view.js';

/** What an entry says of its decision. */
type Answer = Pick<EventRecord, 'name' | 'reason' | 'alsoFailed' | 'flags' | 'credentialId' | 'holderId'>;

export interface Replayed {
  readonly isSame: boolean;
  readonly recorded: Answer;
  readonly again: Answer;
}

/** What befalls a decision after it was made: disk, race, patience. No input of it says so, so the record is believed. */
const AFTERWARDS: readonly Reason[] = ['race_lost', 'record_timeout', 'record_failed', 'internal_error'];

/** Whether a record is one of a decision that `replayEntry` can make again. */
export const isDecision = (record: EventRecord): record is EventRecord & RecordedPresentation =>
  record.accessPointId !== undefined && record.card !== undefined && record.inputs !== undefined;

/** Decides again what an entry records, under the revision that it names, and compares. */
export const replayEntry = (record: EventRecord & RecordedPresentation, view: PolicyView): Replayed =>
  compared(record, replay(record, view));

/** As `replayEntry`, for what was decided while no policy was readable. */
export const replayEmergencyEntry = (record: EventRecord & RecordedPresentation, view: EmergencyView): Replayed =>
  compared(record, replayEmergency(record, view));

function compared(record: EventRecord & RecordedPresentation, decision: Decision): Replayed {
  const { reason } = record;
  const isOverdue = record.name === 'access.denied' && decision.outcome === 'pending';
  const happened = reason !== undefined && (isOverdue || AFTERWARDS.includes(reason) || wasLeftAlone(decision, reason));
  const again = answerOf(decisionRecord(happened ? denied(decision, reason) : decision));
  const recorded = answerOf(record);
  return { isSame: isDeepStrictEqual(again, recorded), recorded, again };
}

/** The partner or the escort, with whom the decision was made, fell out after it. */
const wasLeftAlone = ({ outcome, inputs }: Decision, reason: Reason): boolean =>
  outcome === 'grant' &&
  ((reason === 'second_person_required' && inputs.partner !== undefined) ||
    (reason === 'escort_required' && inputs.escort !== undefined));

const answerOf = ({ name, reason, alsoFailed = [], flags = [], credentialId, holderId }: EventRecord): Answer => ({
  name,
  ...(reason !== undefined && { reason }),
  alsoFailed,
  flags,
  ...(credentialId !== undefined && { credentialId }),
  ...(holderId !== undefined && { holderId }),
});
