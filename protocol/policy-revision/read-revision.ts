import { bytesToUtf8 } from '@noble/ciphers/utils.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { SparcError } from '../errors/index.js';
import type { PolicyContent } from '../policy/index.js';
import type { PartStore } from '../ports/part-store.js';
import { REVISION_LAYOUT, type PolicyRevision } from './bodies.js';
import { invalidRevision, parsedLine } from './check-record.js';
import { IndexPart, PART_TEXT_BYTES_MAX, SECTIONS, type PartRef, type Section } from './part-refs.js';
import type { PartTools } from './part-tools.js';
import { people, type PeopleSection } from './people.js';
import { planOfLines } from './plan-lines.js';

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
): PolicyContent {
  const { parts, missing } = surveyParts(tools, revision, store);
  if (missing[0] !== undefined) throw absent(missing[0]);
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
  return {
    plan,
    emergencyCredentials,
    profiles: peopleOf('profiles'),
    holders: peopleOf('holders'),
    credentials: peopleOf('credentials'),
  };
}

function linesOfPart(tools: PartTools, { hash, sizeBytes }: PartRef, store: Pick<PartStore, 'get'>): string[] {
  const content = intactPart(tools, store, hash);
  if (content === undefined) throw absent(hash);
  if (content.length !== sizeBytes) throw invalidRevision(`a part of ${content.length} bytes, where ${sizeBytes} are`);
  let text: string;
  try {
    text = bytesToUtf8(tools.inflate(content, PART_TEXT_BYTES_MAX));
  } catch (cause) {
    throw invalidRevision(`the part ${hash} is no text`, cause);
  }
  const lines = text.split('\n');
  if (lines.pop() !== '') throw invalidRevision(`the part ${hash} ends in the middle of a line`);
  return lines;
}

function partsOf(index: Uint8Array): readonly PartRef[] {
  try {
    return IndexPart.decode(index).parts;
  } catch (cause) {
    throw invalidRevision('an index part cannot be read', cause);
  }
}

/** Content of a part, if it is here and has the name that it is kept under. Throws as the store does. */
export function intactPart(
  { sha256 }: Pick<PartTools, 'sha256'>,
  store: Pick<PartStore, 'get'>,
  hash: string,
): Uint8Array | undefined {
  const content = store.get(hash);
  return content !== undefined && bytesToHex(sha256(content)) === hash ? content : undefined;
}

const absent = (hash: string) => new SparcError('ERR_POLICY_PART_ABSENT', `the part ${hash}`, { hash });
