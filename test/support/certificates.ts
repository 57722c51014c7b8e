import { CertificateAuthorities } from '@sparc/cloud-sync/identity';
import { certificateRequest, newLinkKey } from '@sparc/edge/cloud-enrolment';
import { nodeRandom } from '@sparc/edge/platform';
import { systemClock } from './system-clock.js';

/** A key and the request for its certificate, as a gateway makes them. */
export function keyAndRequest(): { readonly keyPem: string; readonly request: Uint8Array } {
  const keyPem = newLinkKey();
  return { keyPem, request: certificateRequest(keyPem) };
}

/** Of an installation of its own, where the folder has none yet. */
export const openAuthorities = (folder: string): Promise<CertificateAuthorities> =>
  CertificateAuthorities.open(folder, { clock: systemClock, random: nodeRandom });
