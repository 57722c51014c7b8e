import { Enrolment, type EnrolmentDeps } from '@sparc/cloud-sync/enrolment';
import { CertificateAuthorities, siteSigner } from '@sparc/cloud-sync/identity';

const SECRET = new Uint8Array(32).fill(5);

/** Enrolment by an installation whose certificates are kept in this folder, and which nobody calls. */
export async function openEnrolment(
  folder: string,
  deps: Omit<EnrolmentDeps, 'certificates' | 'signerOf'>,
): Promise<Enrolment> {
  const certificates = await CertificateAuthorities.open(folder, deps);
  const signerOf = (tenant: string, site: string) => siteSigner(SECRET, tenant, site);
  const addresses = { brokerUrl: 'mqtts://localhost:7783', gatewayUrl: 'https://localhost:7743' };
  return new Enrolment({ ...deps, certificates, signerOf }, addresses);
}
