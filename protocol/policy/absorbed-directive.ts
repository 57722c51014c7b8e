import { Type, type Static } from '@sinclair/typebox';
import { closed, Id, oneOf } from './schema-terms.js';

/** In one revision. Of more, those whom the policy bars anyway are left to their directives, the oldest first. */
export const ABSORBED_DIRECTIVES_MAX = 4_096;

/**
 * A revocation that the policy says by itself: it has whom it was about, who is barred there, or was let in again by the
 * authority since. It does not lie over that revision any more, and lies over every other one as before.
 */
export const AbsorbedDirective = closed({
  /** As `directiveId` names it, which knows of policies and not the other way round. */
  id: Type.String({ pattern: '^[0-9a-f]{32}$' }),
  subject: oneOf(['credential', 'holder']),
  subjectId: Id,
});
export type AbsorbedDirective = Static<typeof AbsorbedDirective>;
