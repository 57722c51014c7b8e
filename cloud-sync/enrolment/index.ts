/**
 * How gateways come to their site and to the cloud, by a claim code or by a file; how they renew their certificates, are
 * replaced, and are put out.
 * @packageDocumentation
 */
export { CLAIM_VALID_MS, type Actor } from './claim-codes.js';
export {
  Enrolment,
  type Admitted,
  type EnrolmentAddresses,
  type EnrolmentDeps,
  type NewPlace,
  type Offer,
} from './enrolment.js';
export { CERTIFICATES_A_DAY_MAX } from './gateway-rows.js';
export { OperatorExpulsions, type OperatorExpulsionsDeps } from './operator-expulsions.js';
