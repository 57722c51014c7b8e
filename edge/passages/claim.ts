import type { EventRecord } from '@sparc/protocol/events';
import type { Hlc } from '@sparc/protocol/hlc';
import type { EntryId } from '@sparc/protocol/ports';

/** An event that says who passed where; each is an entry of the ledger, so that folding them again gives the same state. */
export interface Claim {
  readonly record: EventRecord;
  readonly atUnixMs: number;
  /** On the monotonic clock. Absent: before this run, or nobody knows. */
  readonly atMs?: number;
  /** Its entry. Absent: it has none, or none yet. */
  readonly entry?: ClaimEntry;
}

export interface ClaimEntry {
  readonly id: EntryId;
  readonly hlc: Hlc;
}

/** A claim is forgotten after this, but for counts of uses; an area may say sooner. */
export const CLAIM_MEMORY_MS = 604_800_000;

/** What other gateways count with as well. */
const AREA_CLAIMS: readonly string[] = [
  'area.moved',
  'area.left_anonymously',
  'area.presence_expired',
  'apb.forgiven',
  'journal.gap',
];
const CLAIMS: ReadonlySet<string> = new Set([
  ...AREA_CLAIMS,
  'area.peers_unheard',
  'area.peers_heard',
  'use_limit.changed',
  'use_limit.restated',
  'first_card.in',
  'first_card.ended',
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
export const isAreaClaim = ({ name }: { readonly name: string }): boolean => AREA_CLAIMS.includes(name);

/** When it was, among the claims of all gateways: one that the disk took late counts from when it happened. */
export function stampOf({ record, atUnixMs, entry }: Claim): Hlc {
  if (entry === undefined) return { unixMs: atUnixMs, counter: 0 };
  const lateMs = Number(record.detail?.['lateMs'] ?? 0);
  const { unixMs, counter } = entry.hlc;
  return lateMs > 0 ? { unixMs: unixMs - lateMs, counter } : entry.hlc;
}
