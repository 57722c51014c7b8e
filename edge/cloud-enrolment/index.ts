/**
 * How a gateway comes to the cloud: claimed by a code or admitted by a file, and what it holds of the cloud from then on.
 * @packageDocumentation
 */
export { certificateRequest, newLinkKey } from './certificate-request.js';
export { claim, renew } from './cloud-calls.js';
export { certificateOf, LinkFiles, type HeldLink } from './link-files.js';
