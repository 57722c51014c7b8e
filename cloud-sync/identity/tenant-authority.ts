import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { Carrier } from '@sparc/protocol/cloud-link';
import { SparcError } from '@sparc/protocol/errors';

/** What a tenant's authority and its certificates are made with: P-256, which every TLS stack and HSM has. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** Of an authority: longer than any gateway is in service. */
export const AUTHORITY_DAYS = 20 * 365;
/** Of a gateway's certificate: it is renewed long before, and a gateway that was in a store room is enrolled anew. */
export const CERTIFICATE_DAYS = 90;
/** Before its issue, because clocks differ. */
const BACKDATED_MS = 3_600_000;
const SERIAL_BYTES = 16;

/** A key and its certificate, PEM. */
export interface Credentials {
  readonly keyPem: string;
  readonly certificatePem: string;
}

export interface Issue {
  readonly nowUnixMs: number;
  /** 16 bytes by chance. */
  readonly serial: Uint8Array;
}

/** A new authority for the gateways of one tenant. */
export async function makeAuthority(tenant: string, { nowUnixMs, serial }: Issue): Promise<Credentials> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialText(serial),
      name: [{ O: [tenant] }, { CN: ['SPARC gateways'] }],
      notBefore: new Date(nowUnixMs - BACKDATED_MS),
      notAfter: new Date(nowUnixMs + AUTHORITY_DAYS * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { keyPem: await privateKeyPem(keys.privateKey), certificatePem: certificate.toString('pem') };
}

/**
 * The certificate by which a gateway shows who it is: P-256, of the request (PKCS #10) that it made with its own key. PEM.
 * Throws ERR_IDENTITY_REQUEST_INVALID.
 */
export async function issueCertificate(
  authority: Credentials,
  requestPem: string,
  { tenant, site, gateway }: Carrier,
  { nowUnixMs, serial }: Issue,
): Promise<string> {
  const request = await openRequest(requestPem);
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialText(serial),
      issuer: issuer.subject,
      subject: [{ O: [tenant] }, { OU: [site] }, { CN: [gateway] }],
      notBefore: new Date(nowUnixMs - BACKDATED_MS),
      notAfter: new Date(nowUnixMs + CERTIFICATE_DAYS * DAY_MS),
      signingAlgorithm: ALGORITHM,
      signingKey: await privateKeyOf(authority.keyPem),
      publicKey: request.publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth], true),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return certificate.toString('pem');
}

/** Whoever made it has the key. */
async function openRequest(requestPem: string): Promise<x509.Pkcs10CertificateRequest> {
  try {
    const request = new x509.Pkcs10CertificateRequest(requestPem);
    const { name, namedCurve } = request.publicKey.algorithm as Partial<typeof ALGORITHM>;
    if (name !== ALGORITHM.name || namedCurve !== ALGORITHM.namedCurve) throw new Error('its key is not of P-256');
    if (!(await request.verify(webcrypto))) throw new Error('it is not signed by its key');
    return request;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SparcError('ERR_IDENTITY_REQUEST_INVALID', `no request for a certificate: ${why}`, {}, { cause });
  }
}

const privateKeyOf = (pem: string) =>
  webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), ALGORITHM, false, ['sign']);

const privateKeyPem = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

/** Positive, as RFC 5280, 4.1.2.2 wants it. */
const serialText = (serial: Uint8Array): string =>
  Buffer.from([0x40 | ((serial[0] ?? 0) & 0x3f), ...serial.subarray(1, SERIAL_BYTES)]).toString('hex');
