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

/** What one gateway says of what others said of a person. */
interface Objection {
  readonly author: string;
  /** The claim that is over. */
  readonly named?: EntryId;
  /** Where they are instead. */
  readonly to?: Place;
  /** Whatever was said up to then is over. */
  readonly upTo?: Hlc;
}

type Place = { readonly areaId: string | undefined };

export interface Speakers {
  /** Whether a gateway has a door of an area. */
  readonly speaksOf: (author: string, areaId: string | undefined) => boolean;
  readonly isExpelled: (author: string) => boolean;
}

/**
 * A second opinion on who is where, from what all gateways wrote: of each its last word counts, unless another names it, or the
 * person was forgiven since; of several the one with the latest stamp does. Nothing counts of who has no door there. By person;
 * undefined is outside, and whoever is missing was seen by nobody.
 */
export function foldWhereabouts(
  records: Iterable<DurableRecord>,
  { speaksOf, isExpelled }: Speakers,
): ReadonlyMap<string, string | undefined> {
  const words = new Map<string, Map<string, Word>>();
  const objections = new Map<string, Objection[]>();
  for (const { name, record, id, hlc } of records) {
    const { holderId, supersedes: named, detail = {} } = record;
    if (holderId === undefined || !CLAIMS.has(name)) continue;
    const { author } = id;
    const { upTo, to } = detail;
    const seen = name === 'area.moved' ? { areaId: to } : undefined;
    const objection = { author, ...(named && { named }), ...(seen && { to: seen }) };
    const when = upTo === undefined ? {} : { upTo: stampOf(upTo) };
    objections.set(holderId, [...(objections.get(holderId) ?? []), { ...objection, ...when }]);
    if (upTo !== undefined) continue;
    const ofHolder = words.get(holderId) ?? new Map<string, Word>();
    words.set(holderId, ofHolder);
    const before = ofHolder.get(author);
    if (before === undefined || isLater({ id, hlc }, before)) ofHolder.set(author, { id, hlc, seen });
  }
  const isOver = ({ id, hlc }: Word, { areaId }: Place, { author, named, to, upTo }: Objection): boolean => {
    const speaks = speaksOf(author, areaId);
    if (upTo !== undefined && speaks && compareHlc(hlc, upTo) <= 0) return true;
    if (named?.author !== id.author || !(speaks || (to !== undefined && speaksOf(author, to.areaId)))) return false;
    return isUpTo(id, named) && (isUpTo(named, id) || isExpelled(id.author));
  };
  const where = new Map<string, string | undefined>();
  for (const [holderId, ofHolder] of words) {
    const standing = [...ofHolder.values()].filter(
      (word) =>
        word.seen !== undefined &&
        speaksOf(word.id.author, word.seen.areaId) &&
        !(objections.get(holderId) ?? []).some((each) => isOver(word, word.seen ?? { areaId: undefined }, each)),
    );
    const [newest] = standing.sort((a, b) => compareHlc(b.hlc, a.hlc) || (a.id.author < b.id.author ? 1 : -1));
    if (newest !== undefined) where.set(holderId, newest.seen?.areaId);
  }
  return where;
}

const CLAIMS: ReadonlySet<string> = new Set(['area.moved', 'area.presence_expired', 'apb.forgiven']);

/** In the log of one author, who may have two epochs of one number: then the stamp says which is later. */
const isLater = (a: Pick<Word, 'id' | 'hlc'>, b: Pick<Word, 'id' | 'hlc'>): boolean =>
  (a.id.epoch - b.id.epoch || compareHlc(a.hlc, b.hlc) || a.id.sequence - b.id.sequence) > 0;

/** In the log of one author. */
const isUpTo = (a: EntryId, b: EntryId): boolean =>
  a.epoch < b.epoch || (a.epoch === b.epoch && a.sequence <= b.sequence);

function stampOf(text: string): Hlc {
  const [unixMs, counter] = text.split('.').map(Number);
  return { unixMs: unixMs ?? 0, counter: counter ?? 0 };
}
