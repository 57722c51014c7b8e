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

/** What a decision saw of an area. */
export interface AreaInput {
  readonly areaId: string;
  /** People in it beside the holder, those on their way in included, as far as they are known. */
  readonly others: number;
  /** A gateway that has a door of the area was not heard: who passed there was not known. Absent: all were. */
  readonly unheard?: boolean;
  /** The holder was last seen before such a gateway was heard again: a contradiction is held against nobody once. */
  readonly freePass?: boolean;
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
  /** Decided by the list of emergency credentials, while no policy was readable. Absent: by the policy. */
  readonly withoutPolicy?: boolean;
  /** A PIN was typed and no card was shown; whose it is, or nobody's. Absent: a card was shown. */
  readonly pinAlone?: { readonly credentialId?: string };
  /** The mode that the door stood in. Absent: nothing restricted it. */
  readonly doorMode?: StandingMode;
  /** True when the peer door of an interlock was not closed and locked. */
  readonly interlockBusy?: boolean;
  /** Where the holder was, as far as claims said; no area: outside of all. Absent: not seen anywhere yet. */
  readonly location?: { readonly areaId?: string; readonly certain: boolean };
  /** Since the holder's last passage at this access point. */
  readonly sinceHereMs?: number;
  /** Of the areas that the passage enters or leaves. */
  readonly occupancy?: readonly AreaInput[];
  /** The holder had a grant at another door that was neither used nor over. */
  readonly pendingElsewhere?: boolean;
  /**
   * The newest revocation of this gateway, and the one that ended the credential or its holder; 0: it had no number yet.
   * Absent: there was none.
   */
  readonly revocations?: { readonly newest: number; readonly hit?: number };
  /** The other of two persons who enter together. */
  readonly partner?: { readonly credentialId: string; readonly holderId: string };
  /** Who vouches for a visitor, and how many that presentation of their card let in, this one included. */
  readonly escort?: { readonly credentialId: string; readonly holderId: string; readonly visitorsCount: number };
  /** Other visitors of that escort who were in the areas that are entered, or on their way in. */
  readonly escortedInside?: number;
  /** What a host said; `none`: nothing in time. Absent: it was not asked. */
  readonly hostAnswer?: 'allowed' | 'denied' | 'none';
  /** Absent: 0. */
  readonly threatLevel?: number;
  /** Since the authority confirmed the policy last, at least. */
  readonly policyAgeMs?: number;
  /** Bound of the error of `atUnixMs`, either way. Absent: none that matters. */
  readonly clockErrorMs?: number;
  /** An instant that had surely passed, where nobody vouched for `atUnixMs`. */
  readonly clockFloorUnixMs?: number;
  /** Passages that count against the limit of the credential, those under way included. Absent: not known. */
  readonly usesCount?: number;
  /** Somebody who may has opened the door first. Absent: nobody has to. */
  readonly firstCardIn?: boolean;
  /** Whom an operator lets in for a time; the policy had nobody with this card or id. Absent: the policy decided. */
  readonly visitor?: {
    readonly id: string;
    readonly profiles: readonly string[];
    readonly fromUnixMs: number;
    /** Exclusive. */
    readonly untilUnixMs: number;
    /** Of the card, where its format carries one. */
    readonly issue?: number;
  };
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
  /** The claim about where the same holder was that this one takes the place of. */
  readonly supersedes?: EntryId;
  /** What an operator signed, as `encodeSignedDirective` wrote it. */
  readonly directive?: Uint8Array;
  /** A stable error code, where one caused the event. */
  readonly code?: string;
  /** Count of lost records, milliseconds late and the like, by name; small integers and short strings. */
  readonly detail?: Readonly<Record<string, string>>;
}
