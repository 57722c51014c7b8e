import type { X509Certificate } from 'node:crypto';
import type { Carrier } from '@sparc/protocol/cloud-link';
import { GATEWAYS } from './certificates.js';

/** As Node writes the subject of a certificate that we issued: nothing in it has to be quoted. */
const TENANT = '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})';
const GATEWAY = new RegExp(`^O=${TENANT}\\nOU=([a-z0-9][a-z0-9._-]{0,63})\\nCN=([0-9a-f]{64})$`);
const AUTHORITY = new RegExp(`^O=${TENANT}\\nCN=${GATEWAYS}$`);

/**
 * Whom a certificate names, where the authority of that very tenant issued it. That whoever is named as its issuer did issue
 * it and is an authority of this installation, and when the certificate ends, was checked by TLS, on the connection that the
 * certificate came over. (What stands above it in the chain is not to be had from Node 24: `issuerCertificate` is absent.)
 */
export function carrierOf({ subject, issuer }: X509Certificate): Carrier | undefined {
  const [, tenant, site, gateway] = GATEWAY.exec(subject) ?? [];
  const [, ofTenant] = AUTHORITY.exec(issuer) ?? [];
  if (tenant === undefined || site === undefined || gateway === undefined || tenant !== ofTenant) return undefined;
  return { tenant, site, gateway };
}
