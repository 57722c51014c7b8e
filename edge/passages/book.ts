import type { EventDraft } from '@sparc/protocol/events';
import type { Clock } from '@sparc/protocol/ports';
import type { PassageFacts } from '../access/index.js';
import type { Origin } from '../directives/index.js';

/** What every book of passages has. What it records comes back to it as a claim. */
export interface BookDeps {
  readonly clock: Clock;
  readonly record: (event: EventDraft) => unknown;
}

/** A directive that forgives. */
export interface Forgiveness extends Origin {
  /** Of the stamp of the entry that carries it. */
  readonly carriedUnixMs: number;
}

/** What a decision has to know, as each book fills it in. */
export type PassageDraft = { -readonly [Name in keyof PassageFacts]: PassageFacts[Name] };
