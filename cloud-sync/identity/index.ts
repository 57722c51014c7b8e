/**
 * Who gateways are to the cloud, and by which keys it speaks to them: a tenant's own authority issues their certificates,
 * and the cloud signs for each site with a key of its own.
 * @packageDocumentation
 */
export { carrierOf, type Authorities } from './carrier-of.js';
export { siteSigner } from './site-keys.js';
export {
  AUTHORITY_DAYS,
  CERTIFICATE_DAYS,
  issueCertificate,
  makeAuthority,
  type Credentials,
  type Issue,
} from './tenant-authority.js';
