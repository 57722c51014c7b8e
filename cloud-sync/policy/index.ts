/**
 * Authoring of policy: the draft of a site, and what becomes of it. What is saved is not published, and what is published is
 * not applied before the ledger of a gateway says so.
 * @packageDocumentation
 */
export { absorbRevocations, type AbsorbDeps } from './absorb-revocations.js';
export type { DraftProblem } from './draft-object.js';
export { DraftSecrets } from './draft-secrets.js';
export { FirstLines } from './first-lines.js';
export { POLICY_KINDS, type PolicyKind } from './kinds.js';
export { PEOPLE_ROWS_MAX, PeopleImport, type ImportView, type LineProblem } from './people-import.js';
export { PEOPLE_COLUMNS } from './people-row.js';
export { PeopleTable, PEOPLE_TABLE_BYTES_MAX } from './people-table.js';
export type { PolicyChange } from './policy-changes.js';
export { PolicyDesk, type DeskDeps, type DraftChanges, type PublishWish, type RevisionView } from './policy-desk.js';
export { PolicyDraft, type DraftDeps, type ListOptions, type PolicyObject } from './policy-draft.js';
export {
  readSiteFile,
  SITE_FILE_HEAP_MAX_MB,
  SITE_FILE_LENGTH_MAX,
  SITE_FILE_READ_MAX_MS,
  type GivenObjects,
} from './read-site-file.js';
export { IMPORTS_MAX, RunningImports } from './running-imports.js';
