import type { DecisionInputs } from '@sparc/protocol/events';
import type { AccessPoint, StandingMode } from '@sparc/protocol/policy';
import type { WallTime } from '@sparc/protocol/ports';
import type { LockOutState } from './lock-out.js';
import type { CredentialRecord } from './policy-view.js';
import type { VisitorView } from './visitor.js';

/** One presentation at an access point. */
export interface AccessRequest {
  readonly accessPointId: string;
  readonly card: {
    readonly bitCount: number;
    /** Left-justified, ceil(bitCount / 8) bytes. */
    readonly bits: Uint8Array;
  };
  /** Digits typed for this card. A secret; it goes into no decision and no record. */
  readonly pin?: string;
  /** Of the reader, when the card was read. */
  readonly link: { readonly secure: boolean; readonly tampered: boolean };
  /** Upper bound of the time since the card was in the field of the reader. */
  readonly readAgeMs: number;
  /** Who enters together with this person, where two have to. */
  readonly partner?: NonNullable<DecisionInputs['partner']>;
  /** Who vouches for this person. */
  readonly escort?: NonNullable<DecisionInputs['escort']>;
  /** Holders who pass with this person, partner and escort among them. */
  readonly companions?: readonly string[];
  /** What the host said of this passage. Absent: it was not asked. */
  readonly hostAnswer?: NonNullable<DecisionInputs['hostAnswer']>;
}

/** What the gateway knows beside the policy. */
export interface DecisionContext {
  readonly wall: WallTime;
  /** Since the authority confirmed the policy last, at least. Absent: nobody counts. */
  readonly policyAgeMs?: number;
  readonly monotonicMs: number;
  readonly lockOuts: LockOutState;
  /** The configuration of the reader's device; never discovered. */
  readonly secureChannelRequired: boolean;
  /** What the door does while nobody comes. Absent: nothing restricts it. */
  readonly doorMode?: StandingMode;
  /** Absent: nothing was ever revoked. */
  readonly revocations?: RevocationView;
  /** Absent: nobody was let in beside the policy. */
  readonly visitors?: VisitorView;
  /** True when the peer door of an interlock is not closed and locked. */
  readonly interlockBusy?: boolean;
  /** Absent: 0. */
  readonly threatLevel?: number;
  /** Absent: nobody has passed anywhere yet, and no limit of uses is known to have any left. */
  readonly passages?: PassageView;
}

/** What a decision knows of passages: who is where, who is on the way, how often a credential was used, who came first. */
export type PassageFacts = Pick<
  DecisionInputs,
  'location' | 'sinceHereMs' | 'occupancy' | 'pendingElsewhere' | 'escortedInside' | 'usesCount' | 'firstCardIn'
>;

export interface PassageView {
  /** `request`: a presentation that was granted already does not stand in its own way. */
  factsOf(credential: CredentialRecord, accessPoint: AccessPoint, request: AccessRequest): PassageFacts;
}

/** The revocations of this gateway, which lie over every revision of the policy (access-control 4.9). */
export interface RevocationView {
  /** Number of the newest; 0 before the first. */
  readonly newest: number;
  /** Number of the one that ended the credential, or its holder; 0: it has none yet. */
  of(credentialId: string, holderId: string | undefined): number | undefined;
}
