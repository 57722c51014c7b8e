/**
 * Authoring of policy: the draft of a site, and what becomes of it.
 * @packageDocumentation
 */
export { DraftSecrets } from './draft-secrets.js';
export { isSingle, POLICY_KINDS, type PolicyKind } from './kinds.js';
export { PEOPLE_COLUMNS } from './people-row.js';
export { PeopleImport, type ImportView, type LineProblem } from './people-import.js';
export { PolicyDraft, type DraftDeps, type ListOptions, type PolicyObject } from './policy-draft.js';
export type { DraftProblem } from './draft-object.js';
