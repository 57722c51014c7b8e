import type { OnvifTopic } from './onvif-topics.js';

export const SEVERITIES = ['info', 'notice', 'warning', 'alarm'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a record may have beside its name, and what it is. Any event may have `causeId`. */
export const FIELDS = {
  accessPointId: 'the access point',
  doorId: 'the door',
  deviceId: 'the device',
  busId: 'the bus',
  credentialId: 'the credential, where the card is one',
  holderId: 'the holder of the credential',
  reason: 'the check that decided',
  alsoFailed: 'checks that failed beside it, in the order of their rank',
  flags: 'checks that failed and, here, do not deny',
  card: 'what was read: raw bits, and what they decode to',
  inputs: 'what the decision was made from, enough to make it again',
  causeId: 'the entry that this one follows from',
  supersedes: 'the claim about the same holder that this one takes the place of',
  directive: 'what the operator signed',
  code: 'a stable error code',
} as const;
export type FieldName = keyof typeof FIELDS;

/** What `detail` of any event may hold. */
export const COMMON_DETAIL = {
  'lateMs?': 'how long after the event the journal could take it',
} as const;

/** A name that ends in a question mark may be absent. */
type Mark<Name extends string> = Name | `${Name}?`;

export interface EventDescription {
  readonly severity: Severity;
  readonly topic?: OnvifTopic;
  /** The state that this event puts the topic in, where it is always the same. */
  readonly value?: string;
  readonly meaning: string;
  readonly fields?: readonly Mark<Exclude<FieldName, 'causeId'>>[];
  /** What `detail` holds, with the meaning of each. Values are short texts; numbers and truth values are written out. */
  readonly detail?: Readonly<Record<string, string>>;
}
