import { isEventName, REASONS, type CardRecord, type DecisionInputs, type EventRecord } from '../events/index.js';
import type { StandingMode } from '../policy/index.js';
import { TIME_QUALITIES } from '../ports/clock.js';
import type { EntryId } from '../ports/journal.js';
import { bytes, double, flag, hex, oneOf, text, uint } from './codecs.js';
import { sequenceNumber } from './entry.js';
import { list, message, optional, required, type Infer } from './message.js';

/** Kind of an entry whose body is an event. */
export const EVENT_KIND = 'event';

const REASONS_MAX = 64;
const DETAILS_MAX = 32;
/** Twice the depth to which areas nest. */
const AREAS_MAX = 16;
/** An expulsion with heads, its operator and signature. */
const DIRECTIVE_BYTES_MAX = 8_448;
const id = text(128);
/** Vocabulary that grows travels as words, so that one from a newer version is kept, shown and exported as it is. */
const word = text(64);

const Card = message({
  bitCount: required(1, uint(512)),
  bits: required(2, bytes(0, 64)),
  formatId: optional(3, word),
  facility: optional(4, uint()),
  cardNumber: optional(5, text(160)),
});

/** In the order of the format: the second was written as `lockdown` once, which meant double-locked doors as well. */
const RECORDED_MODES = [
  'blocked',
  'lockedDown',
  'locked',
  'unlocked',
  'lockedOpen',
  'doubleLocked',
] as const satisfies readonly StandingMode[];

/** Profiles that an operator may let a visitor in by. */
const VISITOR_PROFILES_MAX = 16;

const AreaInput = message({
  areaId: required(1, id),
  others: required(2, uint()),
  unheard: optional(3, flag),
  freePass: optional(4, flag),
});

const Inputs = message({
  atUnixMs: required(1, uint()),
  timeQuality: required(2, oneOf(TIME_QUALITIES)),
  policyRevision: required(3, text(128)),
  direction: required(4, oneOf(['entry', 'exit'])),
  linkSecure: required(5, flag),
  linkTampered: required(6, flag),
  readAgeMs: required(7, double),
  pin: required(8, oneOf(['none', 'right', 'wrong', 'duress'])),
  lockedOut: required(9, flag),
  doorMode: optional(10, oneOf(RECORDED_MODES)),
  interlockBusy: optional(11, flag),
  location: optional(12, message({ areaId: optional(1, id), certain: required(2, flag) })),
  sinceHereMs: optional(13, double),
  occupancy: list(14, AreaInput, AREAS_MAX),
  pendingElsewhere: optional(15, flag),
  revocations: optional(24, message({ newest: required(1, uint()), hit: optional(2, uint()) })),
  partner: optional(20, message({ credentialId: required(1, id), holderId: required(2, id) })),
  escort: optional(
    21,
    message({ credentialId: required(1, id), holderId: required(2, id), visitorsCount: required(3, uint()) }),
  ),
  hostAnswer: optional(23, oneOf(['allowed', 'denied', 'none'])),
  escortedInside: optional(25, uint()),
  threatLevel: optional(16, uint()),
  usesCount: optional(17, uint()),
  policyAgeMs: optional(18, uint()),
  clockErrorMs: optional(19, uint()),
  firstCardIn: optional(22, flag),
  pinAlone: optional(37, message({ credentialId: optional(1, id) })),
  clockFloorUnixMs: optional(31, uint()),
  withoutPolicy: optional(38, flag),
  visitor: optional(
    39,
    message({
      id: required(1, id),
      profiles: list(2, id, VISITOR_PROFILES_MAX),
      fromUnixMs: required(3, uint()),
      untilUnixMs: required(4, uint()),
      issue: optional(5, uint()),
    }),
  ),
});

const EntryRef = message({
  author: required(1, hex(32)),
  epoch: required(2, uint(2 ** 32 - 1)),
  sequence: required(3, sequenceNumber),
});

const Detail = message({ name: required(1, word), value: required(2, text(2_048)) });

const EventBody = message({
  name: required(1, word),
  accessPointId: optional(2, id),
  doorId: optional(3, id),
  deviceId: optional(4, id),
  busId: optional(5, id),
  credentialId: optional(6, id),
  holderId: optional(7, id),
  reason: optional(8, word),
  alsoFailed: list(9, word, REASONS_MAX),
  flags: list(10, word, REASONS_MAX),
  card: optional(11, Card),
  inputs: optional(12, Inputs),
  causeId: optional(13, EntryRef),
  code: optional(14, word),
  detail: list(15, Detail, DETAILS_MAX),
  directive: optional(16, bytes(1, DIRECTIVE_BYTES_MAX)),
  supersedes: optional(17, EntryRef),
});

/** An event as it was recorded, perhaps by a newer version that knows more names and reasons than this one. */
export type StoredRecord = Omit<EventRecord, 'name' | 'reason' | 'alsoFailed' | 'flags'> & {
  readonly name: string;
  readonly reason?: string;
  readonly alsoFailed?: readonly string[];
  readonly flags?: readonly string[];
};

/** Throws ERR_LEDGER_MALFORMED on text too long, too many details, or numbers out of range. */
export function encodeEvent(record: StoredRecord): Uint8Array {
  const { inputs, ...rest } = record;
  return EventBody.encode({
    ...rest,
    ...(inputs !== undefined && { inputs: { ...inputs, occupancy: inputs.occupancy ?? [] } }),
    alsoFailed: record.alsoFailed ?? [],
    flags: record.flags ?? [],
    detail: Object.entries(record.detail ?? {})
      .map(([name, value]) => ({ name, value }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  });
}

/** Throws ERR_LEDGER_MALFORMED. Empty lists come back absent. */
export function decodeEvent(body: Uint8Array): StoredRecord {
  const { alsoFailed, flags, detail, inputs, ...rest } = EventBody.decode(body);
  return {
    ...rest,
    ...(inputs !== undefined && { inputs: withoutEmptyList(inputs) }),
    ...(alsoFailed.length > 0 && { alsoFailed }),
    ...(flags.length > 0 && { flags }),
    ...(detail.length > 0 && { detail: Object.fromEntries(detail.map(({ name, value }) => [name, value])) }),
  };
}

function withoutEmptyList({ occupancy, ...inputs }: Infer<typeof Inputs>): DecisionInputs {
  return occupancy.length > 0 ? { ...inputs, occupancy } : inputs;
}

const reasons = new Set<string>(REASONS);

/** True when this version knows the event's name and all of its reasons. */
export function isKnownRecord(record: StoredRecord): record is EventRecord {
  return (
    isEventName(record.name) &&
    [record.reason ?? [], record.alsoFailed ?? [], record.flags ?? []].flat().every((reason) => reasons.has(reason))
  );
}

/** Does not compile when a record has a field that its codec would drop. */
type Uncarried<T, C> = Record<Exclude<keyof T, keyof Infer<C>>, never>;
const uncarried: [
  Uncarried<EventRecord, typeof EventBody>,
  Uncarried<CardRecord, typeof Card>,
  Uncarried<DecisionInputs, typeof Inputs>,
  Uncarried<EntryId, typeof EntryRef>,
] = [{}, {}, {}, {}];
void uncarried;
