import { SparcError } from '../errors/index.js';
import type { PolicyContent } from '../policy/index.js';
import type { PartStore } from '../ports/part-store.js';
import { REVISION_LAYOUT, type PolicyRevision } from './bodies.js';
import { invalidRevision, parsedLine } from './check-record.js';
import { absentPart, intactPart, linesOfPart } from './part-lines.js';
import { IndexPart, SECTIONS, type PartRef, type Section } from './part-refs.js';
import type { PartTools } from './part-tools.js';
import { people, type PeopleSection } from './people.js';
import { planOfLines } from './plan-lines.js';
import { peopleChange, type RevisionChange } from './revision-change.js';

/** What a revision is made of, as far as it is known here. */
export interface PartSurvey {
  /** In its order. */
  readonly parts: readonly PartRef[];
  /** Hashes of its parts and index parts. */
  readonly named: ReadonlySet<string>;
  /** Those of them that are not here. While index parts are among them, more may follow. */
  readonly missing: readonly string[];
}

/** Throws ERR_POLICY_REVISION_LAYOUT or ERR_POLICY_REVISION_INVALID. */
export function surveyParts(
  tools: PartTools,
  revision: PolicyRevision,
  store: Pick<PartStore, 'has' | 'get'>,
): PartSurvey {
  if (revision.layout !== REVISION_LAYOUT) {
    const message = `it has layout ${revision.layout}, this version reads layout ${REVISION_LAYOUT}`;
    throw new SparcError('ERR_POLICY_REVISION_LAYOUT', message);
  }
  const parts: PartRef[] = [];
  const missing = new Set<string>();
  for (const hash of revision.indexes) {
    const content = intactPart(tools, store, hash);
    if (content === undefined) missing.add(hash);
    else parts.push(...partsOf(content));
  }
  for (const { hash } of parts) if (!store.has(hash)) missing.add(hash);
  return {
    parts,
    named: new Set([...revision.indexes, ...parts.map(({ hash }) => hash)]),
    missing: [...missing],
  };
}

/** A policy that was read out of parts. */
export interface RevisionContent extends PolicyContent {
  /** What it is made of, in its order. */
  readonly parts: readonly PartRef[];
  /**
   * How it differs from the policy that was made of other parts; undefined where most of it does. Throws, at once or while
   * people are taken, as `readRevision`.
   */
  changeSince(before: readonly PartRef[]): RevisionChange | undefined;
}

/**
 * Reads a revision back. Its people are read while they are taken, and each part is compared with its name again:
 * whoever filled the store is not believed.
 * Throws, at once or while people are taken, ERR_POLICY_REVISION_LAYOUT, ERR_POLICY_REVISION_INVALID or
 * ERR_POLICY_PART_ABSENT.
 */
export function readRevision(
  tools: PartTools,
  revision: PolicyRevision,
  store: Pick<PartStore, 'has' | 'get'>,
): RevisionContent {
  const { parts, missing } = surveyParts(tools, revision, store);
  if (missing[0] !== undefined) throw absentPart(missing[0]);
  const order = parts.map(({ section }) => SECTIONS.indexOf(section));
  if (order.some((section, index) => section < (order[index - 1] ?? 0))) throw invalidRevision('sections out of order');

  function* linesOf(section: Section): Generator<string> {
    let count = 0;
    for (const part of parts) {
      if (part.section !== section) continue;
      for (const line of linesOfPart(tools, part, store)) {
        count++;
        yield line;
      }
    }
    const { [section]: signed } = revision.counts;
    if (count !== signed) throw invalidRevision(`${count} records of ${section}, where ${signed} were signed`);
  }

  function* recordsOf(section: PeopleSection): Generator<unknown> {
    for (const line of linesOf(section)) yield parsedLine(line);
  }
  const peopleOf = <S extends PeopleSection>(section: S) => people(section, recordsOf(section), invalidRevision);

  const { plan, emergencyCredentials } = planOfLines(linesOf('plan'));
  if (plan.site.id !== revision.site) throw invalidRevision(`its plan is of the site ${plan.site.id}`);
  const read = { plan, emergencyCredentials, parts };
  return {
    ...read,
    profiles: peopleOf('profiles'),
    holders: peopleOf('holders'),
    credentials: peopleOf('credentials'),
    changeSince: (before) => {
      const change = peopleChange(before, parts, (part) => linesOfPart(tools, part, store));
      return change && { ...read, profiles: peopleOf('profiles'), ...change, counts: revision.counts };
    },
  };
}

function partsOf(index: Uint8Array): readonly PartRef[] {
  try {
    return IndexPart.decode(index).parts;
  } catch (cause) {
    throw invalidRevision('an index part cannot be read', cause);
  }
}
