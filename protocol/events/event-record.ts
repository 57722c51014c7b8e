import type { StandingMode } from '../policy/index.js';
import type { EntryId, TimeQuality } from '../ports/index.js';
import type { EventName } from './catalogue.js';
import type { Reason } from './reasons.js';

/** The card of a presentation, raw bits kept whatever the decoding said. */
export interface CardRecord {
  readonly bitCount: number;
  /** ceil(bitCount / 8) bytes, left-justified. */
  readonly bits: Uint8Array;
  readonly formatId?: string;
  readonly facility?: number;
  /** Decimal. */
  readonly cardNumber?: string;
}

/** What a decision saw, beside the card: with the policy revision, enough to decide again. */
export interface DecisionInputs {
  readonly atUnixMs: number;
  readonly timeQuality: TimeQuality;
  readonly policyRevision: string;
  readonly direction: 'entry' | 'exit';
  /** Secure Channel was up, or the device is configured to work in clear. */
  readonly linkSecure: boolean;
  readonly linkTampered: boolean;
  readonly readAgeMs: number;
  /** Never the PIN itself. */
  readonly pin: 'none' | 'right' | 'wrong' | 'duress';
  readonly lockedOut: boolean;
  /** The mode that the door stood in. Absent: nothing restricted it. */
  readonly doorMode?: StandingMode;
  /** True when the peer door of an interlock was not closed and locked. */
  readonly interlockBusy?: boolean;
  /** Where the holder was, as far as claims said; no area: outside of all. Absent: not seen anywhere yet. */
  readonly location?: { readonly areaId?: string; readonly certain: boolean };
  /** Since the holder's last passage at this access point. */
  readonly sinceHereMs?: number;
  /** People beside the holder in the areas that the passage enters or leaves, those on their way in included. */
  readonly occupancy?: readonly { readonly areaId: string; readonly others: number }[];
  /** The holder had a grant at another door that was neither used nor over. */
  readonly pendingElsewhere?: boolean;
}

/** The body of an event entry. Absent fields do not apply. Ids are those of the site file. */
export interface EventRecord {
  readonly name: EventName;
  readonly accessPointId?: string;
  readonly doorId?: string;
  readonly deviceId?: string;
  readonly busId?: string;
  readonly credentialId?: string;
  readonly holderId?: string;
  readonly reason?: Reason;
  readonly alsoFailed?: readonly Reason[];
  /** Checks that failed at an exit, where they grant and flag. */
  readonly flags?: readonly Reason[];
  readonly card?: CardRecord;
  readonly inputs?: DecisionInputs;
  /** The grant or exit this outcome belongs to. */
  readonly causeId?: EntryId;
  /** A stable error code, where one caused the event. */
  readonly code?: string;
  /** Count of lost records, milliseconds late and the like, by name; small integers and short strings. */
  readonly detail?: Readonly<Record<string, string>>;
}
