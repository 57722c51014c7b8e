/**
 * Revocations: what a named person ends at once and for good, laid over every revision of the policy.
 * @packageDocumentation
 */
export { readRevocations } from './read-revocations.js';
export {
  RevocationBook,
  REVOCATIONS_MAX,
  REVOCATIONS_OF_ONE_MAX,
  VOLATILE_REVOCATIONS,
  type LoadedRevocations,
  type RecordedRevocations,
  type RevocationStore,
} from './revocation-book.js';
export { RevocationFile } from './revocation-file.js';
export { RevocationSubject, type Revocation } from './revocation.js';
