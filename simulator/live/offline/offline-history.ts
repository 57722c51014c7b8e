import type { Entitlement } from '../../scenarios/index.js';

/** Instants are milliseconds since 1970; spans have a start and an end. */
export interface Span {
  readonly fromUnixMs: number;
  readonly untilUnixMs: number;
}

/** Somebody at a door, as people saw it. */
export interface Visit {
  readonly gateway: string;
  readonly door: string;
  /** When the card was presented, or the button pressed. */
  readonly atUnixMs: number;
  /** When the door opened for this person; absent: it did not. */
  readonly throughUnixMs?: number;
  /** Absent: by the exit button. */
  readonly card?: {
    readonly credential: string;
    readonly accessPoint: string;
    readonly isExit: boolean;
    /** What ought to become of it by the site file, while nothing is raised. */
    readonly entitlement: Entitlement;
    /** When the card, or the last key of its PIN, was given. */
    readonly completedUnixMs: number;
    /** After that: when the reader showed something; absent: never. */
    readonly answeredUnixMs?: number;
  };
}

/** A line of `sparc ledger export`. */
export interface JournalLine {
  readonly epoch: number;
  readonly sequence: number;
  readonly wallUnixMs: number;
  readonly name?: string;
  readonly doorId?: string;
  readonly accessPointId?: string;
  readonly credentialId?: string;
  readonly reason?: string;
  readonly detail?: Readonly<Record<string, string>>;
}

/** What a gateway has on disk of the log of an author, as `sparc ledger replicas` says. */
export interface ReplicaLine {
  readonly author: string;
  readonly name: string;
  readonly entriesCount: number;
  readonly heads: readonly { readonly hash: string }[];
}

/** A lockdown of the scenario. */
export interface Lockdown extends Span {
  readonly givenAt: string;
  /** By other gateway that was to hear of it: since when it could. */
  readonly couldHearUnixMs: ReadonlyMap<string, number>;
}

/** All that is known at the end: what people and locks did, and what every gateway has on disk. */
export interface OfflineHistory {
  readonly visits: readonly Visit[];
  /** Locks that became free. */
  readonly releases: readonly { readonly door: string; readonly atUnixMs: number }[];
  /** By gateway, from the start of the scenario on. */
  readonly journals: ReadonlyMap<string, readonly JournalLine[]>;
  /** Gateways whose journal `sparc ledger verify` found whole. */
  readonly whole: ReadonlySet<string>;
  readonly replicas: ReadonlyMap<string, readonly ReplicaLine[]>;
  /** While every cable was cut. */
  readonly cut: Span;
  /** Gateways that ran all that time. */
  readonly servingWhileCut: readonly string[];
  readonly lockdown: Lockdown;
}

export const isWithin = (unixMs: number, { fromUnixMs, untilUnixMs }: Span): boolean =>
  fromUnixMs <= unixMs && unixMs <= untilUnixMs;

/** Where all logs of a gateway end, in one text. */
export const headsOf = (logs: readonly ReplicaLine[]): string =>
  logs
    .map(({ author, heads }) => `${author}:${heads.map(({ hash }) => hash).join('+')}`)
    .sort()
    .join();
