import type { X509Certificate } from 'node:crypto';
import type { Carrier } from '@sparc/protocol/cloud-link';

/** As Node writes the subject of a certificate that we issued: nothing in it has to be quoted. */
const SUBJECT = /^O=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\nOU=([a-z0-9][a-z0-9._-]{0,63})\nCN=([0-9a-f]{64})$/;

/** The certificates of the tenants' authorities, by tenant. */
export type Authorities = ReadonlyMap<string, X509Certificate>;

/**
 * Whom a certificate names, where the authority of that very tenant issued it: TLS has checked only that one of the
 * authorities did, and when it ends.
 */
export function carrierOf(certificate: X509Certificate, authorities: Authorities): Carrier | undefined {
  const [, tenant, site, gateway] = SUBJECT.exec(certificate.subject) ?? [];
  if (tenant === undefined || site === undefined || gateway === undefined) return undefined;
  const authority = authorities.get(tenant);
  if (authority === undefined || !certificate.checkIssued(authority)) return undefined;
  return certificate.verify(authority.publicKey) ? { tenant, site, gateway } : undefined;
}
