import { isSparcError } from '@sparc/protocol/errors';
import type { SignedHead } from '@sparc/protocol/ledger';
import { EMPTY_COURSE, learn, POLICY_KIND, type PolicyRevision } from '@sparc/protocol/policy-revision';
import type { PartStore } from '@sparc/protocol/ports';
import { contentsOf } from '../policy-parts/index.js';
import { entriesAfter, type ReadableLogs } from '../replica/index.js';
import { endsUpTo } from './carried-batches.js';

/**
 * The parts of the newest policy revision that are here, index parts first, so that each is known when it comes. None for
 * somebody who has all policy entries of the authority's log up to these heads: a neighbour or an earlier courier brought
 * it its parts. Throws ERR_POLICY_REVISION_LAYOUT, ERR_POLICY_REVISION_INVALID, or as the stores do.
 */
export function* carriedParts(
  logs: ReadableLogs,
  authority: string,
  heads: readonly SignedHead[],
  parts: PartStore,
): Generator<Uint8Array, void> {
  const ends = endsUpTo(logs.logs().get(authority) ?? [], heads);
  const isNews = [...entriesAfter(logs, authority, ends)].some(({ kind }) => kind === POLICY_KIND);
  const newest = isNews ? newestRevision(logs, authority) : undefined;
  if (newest !== undefined) yield* contentsOf(newest, parts);
}

function newestRevision(logs: ReadableLogs, authority: string): PolicyRevision | undefined {
  let course = EMPTY_COURSE;
  for (const entry of entriesAfter(logs, authority, [])) {
    try {
      course = learn(course, entry);
    } catch (error) {
      // What cannot be read never came into force.
      if (!isSparcError(error, 'ERR_LEDGER_MALFORMED')) throw error;
    }
  }
  return course.revisions[0]?.revision;
}
