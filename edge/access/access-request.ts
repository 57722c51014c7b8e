import type { DecisionInputs } from '@sparc/protocol/events';
import type { StandingMode } from '@sparc/protocol/policy';
import type { WallTime } from '@sparc/protocol/ports';
import type { LockOutState } from './lock-out.js';

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
}

/** What the gateway knows beside the policy. */
export interface DecisionContext {
  readonly wall: WallTime;
  readonly monotonicMs: number;
  readonly lockOuts: LockOutState;
  /** The configuration of the reader's device; never discovered. */
  readonly secureChannelRequired: boolean;
  /** What the door does while nobody comes. Absent: nothing restricts it. */
  readonly doorMode?: StandingMode;
  /** True when the peer door of an interlock is not closed and locked. */
  readonly interlockBusy?: boolean;
  /** Who is where. Absent: nobody has been seen anywhere. */
  readonly areas?: AreaView;
}

/** What a decision knows of areas and of passages under way. */
export type AreaFacts = Pick<DecisionInputs, 'location' | 'sinceHereMs' | 'occupancy' | 'pendingElsewhere'>;

export interface AreaView {
  factsOf(holderId: string, accessPointId: string): AreaFacts;
}
