import type { EntryId } from '@sparc/protocol/ports';

/** Of an operator who had the right to it. */
export interface Directed {
  /** The id of the directive, which is that of what it raises. */
  readonly directive: string;
  /** Name of the operator. */
  readonly by: string;
  /** The operator lowers nothing that reaches beyond these areas and doors; absent: anything. */
  readonly within?: readonly string[];
  /** The entry that carries the directive. */
  readonly cause: Promise<EntryId | undefined>;
}

export interface DirectedRaise extends Directed {
  readonly kind: 'raise';
  readonly what: 'lockdown' | 'threat' | 'evacuation';
  readonly level?: number;
  readonly scope?: readonly string[];
  /** Raises that end with it. */
  readonly instead?: readonly string[];
  /** When the operator signed it. */
  readonly atUnixMs: number;
}

export interface DirectedRelease extends Directed {
  readonly kind: 'release';
  readonly raises: readonly string[];
}

/** What became of it. `known`: it was carried out before. `released`: its release came before it, so that it never acts. */
export type ModeOutcome = 'applied' | 'known' | 'released';
