import type { PolicyContent } from '../policy/index.js';
import type { PolicyRevision } from './bodies.js';
import { invalidRevision, parsedLine } from './check-record.js';
import type { PartRef } from './part-refs.js';
import { PeopleOrder, type Person, type PeopleSection } from './people.js';

/** Ids between which people may differ, both exclusive. */
export interface Gap {
  /** Empty: from the first. */
  readonly after: string;
  readonly before: string;
}

/** Comes behind all ids, also where bytes of UTF-8 are compared. */
const BEHIND_ALL = '\u{10ffff}';

type ChangedSection = Exclude<PeopleSection, 'profiles'>;

/** A policy as it differs from another: the same but for its plan and profiles, which are whole, and the people of `gaps`. */
export interface RevisionChange extends PolicyContent {
  /** Everybody of the other policy who stands in one of them is gone; those who are there now are in the lists of people. */
  readonly gaps: Readonly<Record<ChangedSection, readonly Gap[]>>;
  /** How many there are of everybody in the end. */
  readonly counts: PolicyRevision['counts'];
}

/** Parts that are here now and were not, and behind them one or more that both have, in a row in both. */
interface Stretch {
  readonly parts: readonly PartRef[];
  /** Of those behind; none at the end. */
  readonly kept?: { readonly firstId: string; readonly lastId: string };
}

type LinesOf = (part: PartRef) => readonly string[];

/**
 * People who differ where parts do. They stand in the order of their ids, so between two parts that both have there can be
 * nobody but those of the parts between these. Undefined where most parts differ, or both are in no common order.
 * Throws, at once or while people are taken, ERR_POLICY_REVISION_INVALID, or as `linesOf` does.
 */
export function peopleChange(before: readonly PartRef[], now: readonly PartRef[], linesOf: LinesOf) {
  const holders = sectionChange('holders', before, now, linesOf);
  const credentials = sectionChange('credentials', before, now, linesOf);
  if (holders === undefined || credentials === undefined) return undefined;
  if ((holders.keptCount + credentials.keptCount) * 2 < now.length) return undefined;
  const gaps = { holders: holders.gaps, credentials: credentials.gaps };
  return { gaps, holders: holders.people, credentials: credentials.people };
}

function sectionChange<S extends ChangedSection>(
  section: S,
  before: readonly PartRef[],
  now: readonly PartRef[],
  linesOf: LinesOf,
) {
  const parts = now.filter((part) => part.section === section);
  const runs = keptRuns(before, parts);
  if (runs === undefined) return undefined;
  let end = 0;
  const stretches: Stretch[] = runs.map((run) => {
    const [first, last] = [parts[run.first], parts[run.end - 1]];
    const kept = { firstId: idOf(first && linesOf(first)[0]), lastId: idOf(last && linesOf(last).at(-1)) };
    const stretch = { parts: parts.slice(end, run.first), kept };
    end = run.end;
    return stretch;
  });
  stretches.push({ parts: parts.slice(end) });
  const gaps = stretches.map(({ kept }, index): Gap => ({
    after: stretches[index - 1]?.kept?.lastId ?? '',
    before: kept?.firstId ?? BEHIND_ALL,
  }));
  const keptCount = runs.reduce((sum, run) => sum + run.end - run.first, 0);
  return { gaps, people: peopleOf(section, stretches, linesOf), keptCount };
}

function* peopleOf<S extends ChangedSection>(
  section: S,
  stretches: readonly Stretch[],
  linesOf: LinesOf,
): Generator<Person<S>> {
  const order = new PeopleOrder<S>(section, invalidRevision);
  for (const { parts, kept } of stretches) {
    for (const part of parts) for (const line of linesOf(part)) yield order.take(parsedLine(line));
    if (kept !== undefined) order.pass(kept.firstId, kept.lastId);
  }
}

/** By their place in `now`, `end` exclusive. Undefined where one comes before another in one list, and after it in the other. */
function keptRuns(before: readonly PartRef[], now: readonly PartRef[]): { first: number; end: number }[] | undefined {
  const places = new Map(now.map((part, place) => [nameOf(part), place]));
  const runs: { first: number; end: number }[] = [];
  let isGap = true;
  for (const part of before) {
    const place = places.get(nameOf(part));
    const last = runs.at(-1);
    if (place === undefined) isGap = true;
    else if (last !== undefined && place < last.end) return undefined;
    else if (last === undefined || isGap || place > last.end) runs.push({ first: place, end: place + 1 });
    else last.end++;
    if (place !== undefined) isGap = false;
  }
  return runs;
}

const nameOf = ({ section, hash, sizeBytes }: PartRef): string => `${section} ${hash} ${sizeBytes}`;

function idOf(line: string | undefined): string {
  const { id } = (line === undefined ? {} : parsedLine(line)) as { readonly id?: unknown };
  if (typeof id !== 'string') throw invalidRevision('a person has no id');
  return id;
}
