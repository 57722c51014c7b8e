import type { StoredRecord } from '@sparc/protocol/ledger';
import type { Hlc } from '@sparc/protocol/hlc';
import type { AccessPoint } from '@sparc/protocol/policy';
import type { EntryId } from '@sparc/protocol/ports';
import type { SimulatedDoor } from '../devices/index.js';
import type { Entitlement } from './entitlement.js';
import { Instants } from './instants.js';

/** Somebody held a card to a reader. */
export interface Presentation {
  readonly accessPoint: AccessPoint;
  readonly doorId: string;
  readonly credentialId: string | undefined;
  /** The gateway has not heard of that credential yet: its record may name none. */
  readonly isNew?: boolean;
  readonly atMs: number;
  /** With the last key of the PIN, where there is one to type. */
  readonly completedAtMs: number;
  readonly entitlement: Entitlement;
  /** All gateways of the area behind the door knew that no more may be in it. */
  readonly isFull?: boolean;
}

/** What the gateway's disk held for good, and since when. */
export interface DurableRecord {
  readonly name: string;
  readonly doorId: string | undefined;
  readonly accessPointId: string | undefined;
  readonly credentialId: string | undefined;
  readonly reason: string | undefined;
  readonly durableAtMs: number;
  /** All of it, and its place among the entries of all gateways. */
  readonly record: StoredRecord;
  readonly id: EntryId;
  /** Of the entry, as `epochName` has it: an author with two pasts has two of one number. */
  readonly epoch: string;
  readonly hlc: Hlc;
}

/**
 * What can be out of order for a while: the gateway, its disk, its memory of what it heard and said, the way of commands, a device
 * by its id.
 */
export type Subject = 'gateway' | 'disk' | 'memory' | 'commands' | (string & {});

/** A fire frees a door. */
export const fireAt = (doorId: string): Subject => `fire ${doorId}`;

interface Outage {
  readonly subject: Subject;
  readonly fromMs: number;
  toMs: number;
}

/** The truth about a run, as the world knows it; checkers ask it and nothing else. */
export class SiteHistory {
  /** In order of time. */
  readonly presentations: Presentation[] = [];
  /** By reader id. */
  readonly indications = new Instants();
  /** By door id. */
  readonly exitPresses = new Instants();
  /** By door id: instants at which its unlock schedule was open, by the gateway's clock. */
  readonly scheduledOpen = new Instants();
  /** By door id: an operator had it opened for one passage. */
  readonly opened = new Instants();
  /** By door id: somebody rang, at another gateway, for a rule to open it for one passage. */
  readonly rung = new Instants();
  /** In the order in which they became durable. */
  records: readonly DurableRecord[] = [];
  readonly #outages: Outage[] = [];

  constructor(
    private readonly nowMs: () => number,
    readonly doors: ReadonlyMap<string, SimulatedDoor>,
    /** The device that drives each door, and the one each reader is part of. */
    readonly deviceOf: ReadonlyMap<string, string>,
  ) {}

  /** Returns the end of it. */
  outage(subject: Subject): () => void {
    const outage: Outage = { subject, fromMs: this.nowMs(), toMs: Infinity };
    this.#outages.push(outage);
    return () => {
      outage.toMs = this.nowMs();
    };
  }

  /** True when none of the subjects was out of order at any time from one instant to the other. */
  wereWhole(subjects: readonly Subject[], fromMs: number, toMs: number): boolean {
    return !this.#outages.some(
      (outage) => subjects.includes(outage.subject) && outage.fromMs <= toMs && outage.toMs >= fromMs,
    );
  }

  get endMs(): number {
    return this.nowMs();
  }
}
