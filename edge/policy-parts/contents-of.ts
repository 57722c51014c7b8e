import { isSparcError } from '@sparc/protocol/errors';
import { intactPart, isFinalRejection, surveyParts, type PolicyRevision } from '@sparc/protocol/policy-revision';
import type { PartStore } from '@sparc/protocol/ports';
import { nodePartTools } from './node-part-tools.js';

/**
 * Contents of those parts of some revisions that are here and as their names say, each once, and index parts before what
 * they name, so that each is known when it comes. `onAbsent`: told of the others. Throws as the store does.
 */
export function* contentsOf(
  revisions: readonly PolicyRevision[],
  parts: Pick<PartStore, 'has' | 'get'>,
  onAbsent: (hash: string, revision: PolicyRevision) => void = () => undefined,
): Generator<Uint8Array, void> {
  const seen = new Set<string>();
  for (const revision of revisions) {
    for (const hash of namesIn(revision, parts)) {
      if (seen.has(hash)) continue;
      seen.add(hash);
      const content = intactPart(nodePartTools, parts, hash);
      if (content === undefined) onAbsent(hash, revision);
      else yield content;
    }
  }
}

/** Of one that this version cannot read, no more is known than its index parts. */
function namesIn(revision: PolicyRevision, parts: Pick<PartStore, 'has' | 'get'>): Iterable<string> {
  try {
    return surveyParts(nodePartTools, revision, parts).named;
  } catch (error) {
    if (isSparcError(error) && isFinalRejection(error.code)) return revision.indexes;
    throw error;
  }
}
