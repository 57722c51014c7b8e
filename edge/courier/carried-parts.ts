import { isSparcError } from '@sparc/protocol/errors';
import { EMPTY_COURSE, learn } from '@sparc/protocol/policy-revision';
import type { PartStore } from '@sparc/protocol/ports';
import { contentsOf } from '../policy-parts/index.js';
import { entriesAfter, type ReadableLogs } from '../replica/index.js';

/**
 * The parts of the newest policy revision that are here, and of the one before it. Who has the entry that names them may
 * lack them all the same, which no head tells; so they are always carried. Throws as the stores do.
 */
export function* carriedParts(logs: ReadableLogs, authority: string, parts: PartStore): Generator<Uint8Array, void> {
  let course = EMPTY_COURSE;
  for (const entry of entriesAfter(logs, authority, [])) {
    try {
      course = learn(course, entry);
    } catch (error) {
      // What cannot be read never came into force.
      if (!isSparcError(error, 'ERR_LEDGER_MALFORMED')) throw error;
    }
  }
  const revisions = course.revisions.map(({ revision }) => revision);
  yield* contentsOf(revisions, parts);
}
