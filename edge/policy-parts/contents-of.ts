import { surveyParts, type PolicyRevision } from '@sparc/protocol/policy-revision';
import type { PartStore } from '@sparc/protocol/ports';
import { nodePartTools } from './node-part-tools.js';

/**
 * Contents of those parts of a revision that are here, index parts first, so that each is known when it comes. Throws as
 * `surveyParts` and the store do.
 */
export function* contentsOf(revision: PolicyRevision, parts: PartStore): Generator<Uint8Array, void> {
  for (const hash of surveyParts(nodePartTools, revision, parts).named) {
    const content = parts.get(hash);
    if (content !== undefined) yield content;
  }
}
