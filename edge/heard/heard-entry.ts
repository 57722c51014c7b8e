import type { EventRecord } from '@sparc/protocol/events';
import type { Hlc } from '@sparc/protocol/hlc';
import type { EntryId, TimeQuality } from '@sparc/protocol/ports';
import type { Delegation, Expelled, Member } from '@sparc/protocol/roster';
import type { HeardDirective } from './heard-directive.js';

/** What another gateway recorded, after its signature was verified here. */
export interface HeardEntry {
  readonly id: EntryId;
  /** Its epoch by its full name: of a gateway whose disk was set back, two have one number. Absent: in its own journal no two have. */
  readonly epochName?: string;
  /** Orders it among all entries of all gateways. */
  readonly hlc: Hlc;
  /** What its author's clock showed. */
  readonly wallUnixMs: number;
  readonly timeQuality: TimeQuality;
  readonly record: EventRecord;
  /** Of one that carries a directive, and of no other. */
  readonly directive?: HeardDirective;
}

/** Who belongs to the site, by the newest roster that its authority signed. */
export interface HeardRoster {
  /** Public keys, in hex: of this gateway, and of the site authority. */
  readonly self: string;
  readonly authority: string;
  readonly members: readonly Member[];
  /** Of their logs counts what leads to the attested heads; entries that follow tell it anew of whoever is new here. */
  readonly expelled: readonly Expelled[];
}

/**
 * What came since the last time; at a start, piece by piece all that was ever said. What the authority says is to be taken
 * first. Entries of one author and epoch come in their order; those of two authors in any.
 */
export interface Heard {
  /** Oldest first. */
  readonly delegations: readonly Delegation[];
  /** Absent: as before. */
  readonly roster?: HeardRoster;
  readonly entries: readonly HeardEntry[];
  /** Of what the own disk lost when it was set back, the highest counter of an epoch; to be gone above. Absent: as before. */
  readonly lostEpoch?: number;
  /** Whose logs do not hold where they were read last: nobody knows what more they say. Absent: as before. */
  readonly refused?: readonly string[];
  /** Of whom not all that was on the disk at the start has been told by now; nobody joins them. Public keys, in hex. */
  readonly behind: readonly string[];
}
