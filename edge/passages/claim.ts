import type { EventRecord } from '@sparc/protocol/events';

/** An event that says who passed where; each is an entry of the ledger, so that folding them again gives the same state. */
export interface Claim {
  readonly record: EventRecord;
  readonly atUnixMs: number;
}

/** A claim is forgotten after this, but for counts of uses; an area may say sooner. */
export const CLAIM_MEMORY_MS = 604_800_000;

const CLAIMS: ReadonlySet<string> = new Set([
  'area.moved',
  'area.left_anonymously',
  'area.presence_expired',
  'apb.forgiven',
  'use_limit.changed',
  'use_limit.restated',
  'first_card.in',
  'first_card.ended',
  'journal.gap',
]);
/** Records are missing from the ledger for good: what it says of passages is not all that happened. */
export const isLoss = ({ name, detail = {} }: EventRecord): boolean =>
  name === 'journal.gap' && (detail['lost'] ?? '0') !== '0';

/** The claim that claims are missing, for a ledger that cannot say so itself. */
export const lossClaim = (code: string, atUnixMs: number): Claim => ({
  record: { name: 'journal.gap', code, detail: { lost: 'unknown' } },
  atUnixMs,
});

export const isClaim = ({ name }: { readonly name: string }): boolean => CLAIMS.has(name);
