import { compareHlc, type Hlc } from '@sparc/protocol/hlc';
import type { EntryId } from '@sparc/protocol/ports';
import type { DurableRecord } from './site-history.js';

/** The last word of one gateway about one person. */
interface Word {
  readonly id: EntryId;
  readonly hlc: Hlc;
  /** Undefined: what it said before is over. */
  readonly seen: { readonly areaId: string | undefined } | undefined;
}

/**
 * A second opinion on who is where, from what all gateways wrote: of each its last word counts, unless another names that or
 * a later one, or the person was forgiven since; of several the one with the latest stamp does. By person; undefined is
 * outside, and whoever is missing was seen by nobody.
 */
export function foldWhereabouts(records: Iterable<DurableRecord>): ReadonlyMap<string, string | undefined> {
  const words = new Map<string, Map<string, Word>>();
  const named = new Map<string, EntryId[]>();
  const forgivenAt = new Map<string, Hlc>();
  for (const { name, record, id, hlc } of records) {
    const { holderId, supersedes, detail = {} } = record;
    if (holderId === undefined || !CLAIMS.has(name)) continue;
    if (supersedes !== undefined) named.set(holderId, [...(named.get(holderId) ?? []), supersedes]);
    const { upTo, to } = detail;
    if (upTo !== undefined) {
      const at = stampOf(upTo);
      if (compareHlc(at, forgivenAt.get(holderId) ?? at) >= 0) forgivenAt.set(holderId, at);
      continue;
    }
    const ofHolder = words.get(holderId) ?? new Map<string, Word>();
    words.set(holderId, ofHolder);
    const before = ofHolder.get(id.author)?.id;
    const seen = name === 'area.moved' ? { areaId: to } : undefined;
    if (before === undefined || !isUpTo(id, before)) ofHolder.set(id.author, { id, hlc, seen });
  }
  const where = new Map<string, string | undefined>();
  for (const [holderId, ofHolder] of words) {
    const forgiven = forgivenAt.get(holderId);
    const standing = [...ofHolder.values()].filter(
      ({ id, hlc, seen }) =>
        seen !== undefined &&
        !(named.get(holderId) ?? []).some((other) => other.author === id.author && isUpTo(id, other)) &&
        (forgiven === undefined || compareHlc(hlc, forgiven) > 0),
    );
    const [newest] = standing.sort((a, b) => compareHlc(b.hlc, a.hlc) || (a.id.author < b.id.author ? 1 : -1));
    if (newest !== undefined) where.set(holderId, newest.seen?.areaId);
  }
  return where;
}

const CLAIMS: ReadonlySet<string> = new Set(['area.moved', 'area.presence_expired', 'apb.forgiven']);

/** In the log of one author. */
const isUpTo = (a: EntryId, b: EntryId): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.sequence <= b.sequence);

function stampOf(text: string): Hlc {
  const [unixMs, counter] = text.split('.').map(Number);
  return { unixMs: unixMs ?? 0, counter: counter ?? 0 };
}
