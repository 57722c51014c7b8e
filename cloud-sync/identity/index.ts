/**
 * Who gateways are to the cloud, and by which keys it speaks to them: below the root of an installation, a tenant's own
 * authority issues their certificates, and the cloud signs for each site with a key of its own.
 * @packageDocumentation
 */
export { isAdmitted, isMember, isMemberState, MEMBER_STATES } from './admission.js';
export { FileAuthorityKeys, type AuthorityKeys } from './authority-keys.js';
export { authorityKeys, TokenAuthorityKeys } from './token-authority-keys.js';
export { Token, type TokenPlace } from './token.js';
export { carrierOf } from './carrier-of.js';
export { CertificateAuthorities, type IssuedCertificate } from './certificate-authorities.js';
export {
  AUTHORITY_DAYS,
  CERTIFICATE_DAYS,
  issueGatewayCertificate,
  makeRoot,
  makeServer,
  makeTenantAuthority,
  type Credentials,
  type Issue,
} from './certificates.js';
export { SERVER_RENEWED_AFTER_MS, ServerCertificate, type ServerCertificateDeps } from './server-certificate.js';
export { knownRoster } from './known-roster.js';
export { operatorSigner, siteSecret, siteSeed, siteSigner } from './site-keys.js';
export { activate, placeMembers, removeMember } from './member-rows.js';
export { placeSaid } from './place-said.js';
export { isHalted } from './is-halted.js';
export { isKeptHere, ownerSigns, sitePlace } from './site-place.js';
export { takeUp } from './take-up.js';
