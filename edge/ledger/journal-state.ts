import {
  comparePositions,
  list,
  message,
  optional,
  required,
  text,
  uint,
  type Position,
  type StoredRecord,
} from '@sparc/protocol/ledger';

/** A gateway has far fewer presentations in flight; beyond it the oldest is forgotten. */
const OPEN_GRANTS_MAX = 256;

/** What the journal must know of its own past: a fold over its events, kept with each head so that a start is quick. */
export interface JournalState {
  /** `detail.revision` of the newest `policy.loaded`. */
  readonly policyRevision?: string;
  /** `detail.number` of the newest `revocation.applied`. */
  readonly newestRevocation?: number;
  /** Grants without an outcome, oldest first. */
  readonly openGrants: readonly Position[];
  /** Grants that were released, and of which it is not said whether they were used; oldest first. */
  readonly releasedGrants: readonly Position[];
}

export const EMPTY_STATE: JournalState = { openGrants: [], releasedGrants: [] };

const Grants = (number: number) =>
  list(number, message({ epoch: required(1, uint(2 ** 32 - 1)), sequence: required(2, uint()) }), OPEN_GRANTS_MAX);

const StateCodec = message({
  policyRevision: optional(1, text(128)),
  openGrants: Grants(2),
  newestRevocation: optional(3, uint()),
  releasedGrants: Grants(4),
});
export const encodeState = (state: JournalState): Uint8Array => StateCodec.encode(state);
/** Throws ERR_LEDGER_MALFORMED. */
export const decodeState = (bytes: Uint8Array): JournalState => StateCodec.decode(bytes);

const GRANTS = new Set(['access.granted', 'access.granted.emergency', 'access.granted.facility']);
/** What can become of a grant: released, certainly not, not known, or durable too late. */
const OUTCOMES = new Set(['access.released', 'access.not_executed', 'access.outcome_unknown', 'access.abandoned']);

const USES = new Set(['access.used', 'access.not_used', 'access.unverified']);

/** Undefined where the record is of something else. */
export function revocationNumber({ name, detail }: StoredRecord): number | undefined {
  const number = name === 'revocation.applied' ? Number(detail?.['number']) : NaN;
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

export function foldRecord(state: JournalState, at: Position, record: StoredRecord): JournalState {
  const revision = record.detail?.['revision'];
  if (record.name === 'policy.loaded' && revision !== undefined) return { ...state, policyRevision: revision };
  const revocation = revocationNumber(record);
  if (revocation !== undefined)
    return { ...state, newestRevocation: Math.max(revocation, state.newestRevocation ?? 0) };
  if (GRANTS.has(record.name)) return { ...state, openGrants: [...state.openGrants, at].slice(-OPEN_GRANTS_MAX) };
  const cause = record.causeId;
  if (cause !== undefined && OUTCOMES.has(record.name)) {
    const openGrants = without(state.openGrants, cause);
    const isReleased = record.name === 'access.released' && openGrants.length < state.openGrants.length;
    if (!isReleased) return { ...state, openGrants };
    const released = { epoch: cause.epoch, sequence: cause.sequence };
    return { ...state, openGrants, releasedGrants: [...state.releasedGrants, released].slice(-OPEN_GRANTS_MAX) };
  }
  if (cause !== undefined && USES.has(record.name)) {
    return { ...state, releasedGrants: without(state.releasedGrants, cause) };
  }
  return state;
}

/** Without grants up to a place. */
export function stateBehind({ openGrants, releasedGrants, ...rest }: JournalState, place: Position): JournalState {
  const isBehind = (grant: Position) => comparePositions(grant, place) > 0;
  return { ...rest, openGrants: openGrants.filter(isBehind), releasedGrants: releasedGrants.filter(isBehind) };
}

const without = (grants: readonly Position[], cause: Position): readonly Position[] =>
  grants.filter((grant) => comparePositions(grant, cause) !== 0);
