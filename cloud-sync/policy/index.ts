/**
 * Authoring of policy: the draft of a site, and what becomes of it.
 * @packageDocumentation
 */
export { DraftSecrets } from './draft-secrets.js';
export { isSingle, POLICY_KINDS, type PolicyKind } from './kinds.js';
export { PolicyDraft, type DraftDeps, type ListOptions, type PolicyObject } from './policy-draft.js';
export type { DraftProblem } from './draft-object.js';
