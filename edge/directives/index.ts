/**
 * Directives: what operators with a delegated key direct the site to do, judged alike by every gateway and carried out once.
 * @packageDocumentation
 */
export { isInForce, type DirectiveSinks, type Origin, type Outcome } from './carried.js';
export {
  DIRECTIVE_OUTCOMES,
  DirectiveDesk,
  tooFast,
  type DirectiveDeskDeps,
  type DirectiveReceipt,
  type DirectiveSite,
} from './directive-desk.js';
export { DirectiveFile } from './directive-file.js';
export { DIRECTIVES_REMEMBERED_MAX, VOLATILE_DIRECTIVES, type DirectiveStore } from './directive-memory.js';
export { DirectiveRequest } from './directive-request.js';
export { OPEN_CASES_MAX, OpenCases, type Given } from './open-cases.js';
export {
  DIRECTIVE_PAUSE_MS,
  DIRECTIVES_AT_ONCE_MAX,
  DIRECTIVES_HEARD_AT_ONCE_MAX,
  HeardPaces,
  OperatorPace,
  REVOCATIONS_AT_ONCE_MAX,
} from './operator-pace.js';
export { readDirectives } from './read-directives.js';
