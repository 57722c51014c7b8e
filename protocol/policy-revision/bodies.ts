import { hex, list, message, required, text, uint, type Infer } from '../ledger/index.js';
import { MEMBERS_MAX } from '../roster/index.js';

/** Kinds of entries in the log of a site authority. */
export const POLICY_KIND = 'policy';
export const BEACON_KIND = 'beacon';

/** What this version writes and reads: rises whenever a record or an index part of an older one would mean something else. */
export const REVISION_LAYOUT = 1;
/** So that the body of a revision fits into an entry: some eight million credentials. */
export const INDEXES_MAX = 1_024;
export const REVISION_BYTES_MAX = 2_147_483_648;
const count = uint(2 ** 32 - 1);

/** A policy of the whole site: the names of the index parts, which name the parts. When it was issued, its entry says. */
export const PolicyRevision = message({
  /** Rises with every revision of a site, from 1. */
  number: required(1, uint(2 ** 32 - 1)),
  site: required(2, text(64)),
  layout: required(3, count),
  /** In the order of what they name. */
  indexes: list(4, hex(32), INDEXES_MAX),
  /** Records by section. */
  counts: required(
    5,
    message({
      plan: required(1, count),
      profiles: required(2, count),
      holders: required(3, count),
      credentials: required(4, count),
    }),
  ),
  /** Of all parts, index parts among them. */
  sizeBytes: required(6, uint(REVISION_BYTES_MAX)),
  /** Keys of the gateways that apply it, for a trial; the others go on with the one before. None: all. */
  onlyFor: list(7, hex(32), MEMBERS_MAX),
});
export type PolicyRevision = Infer<typeof PolicyRevision>;

/** The authority says that a revision is still what holds. When, its entry says. */
export const Beacon = message({ number: required(1, uint(2 ** 32 - 1)) });
export type Beacon = Infer<typeof Beacon>;
