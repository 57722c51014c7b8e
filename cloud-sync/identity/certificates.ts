import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { Carrier } from '@sparc/protocol/cloud-link';
import { SparcError } from '@sparc/protocol/errors';

/** What authorities and certificates are made with: P-256, which every TLS stack and HSM has. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** Of an authority: longer than any gateway is in service. */
export const AUTHORITY_DAYS = 20 * 365;
/** Of a gateway's certificate, and of a server's: they are renewed long before. */
export const CERTIFICATE_DAYS = 90;
/** Before its issue, because clocks differ. */
const BACKDATED_MS = 3_600_000;
const SERIAL_BYTES = 16;

/** Of the authority for the gateways of a tenant, beside the tenant's id. */
export const GATEWAYS = 'SPARC gateways';

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

/** The authority that all others of an installation, and its servers, are under: the one that gateways trust. */
export async function makeRoot(issue: Issue): Promise<Credentials> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...validity(issue, AUTHORITY_DAYS),
      name: [{ CN: ['SPARC cloud'] }],
      keys,
      extensions: await ofAuthority(keys, 1),
    },
    webcrypto,
  );
  return credentials(keys, certificate);
}

/** The authority for the gateways of one tenant. */
export async function makeTenantAuthority(root: Credentials, tenant: string, issue: Issue): Promise<Credentials> {
  const keys = await newKeys();
  const certificate = await issued(root, validity(issue, AUTHORITY_DAYS), {
    subject: [{ O: [tenant] }, { CN: [GATEWAYS] }],
    publicKey: keys.publicKey,
    extensions: await ofAuthority(keys, 0),
  });
  return credentials(keys, certificate);
}

/**
 * The certificate by which a gateway shows who it is: P-256, of the request (PKCS #10, DER) that it made with its own key.
 * Throws ERR_IDENTITY_REQUEST_INVALID.
 */
export async function issueGatewayCertificate(
  authority: Credentials,
  request: Uint8Array,
  { tenant, site, gateway }: Carrier,
  issue: Issue,
): Promise<x509.X509Certificate> {
  const { publicKey } = await openRequest(request);
  return issued(authority, validity(issue, CERTIFICATE_DAYS), {
    subject: [{ O: [tenant] }, { OU: [site] }, { CN: [gateway] }],
    publicKey,
    extensions: ofLeaf(x509.ExtendedKeyUsage.clientAuth),
  });
}

/** A new key and certificate for a server that is called by these names and addresses. */
export async function makeServer(root: Credentials, hosts: readonly string[], issue: Issue): Promise<Credentials> {
  const keys = await newKeys();
  const names = hosts.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }));
  const certificate = await issued(root, validity(issue, CERTIFICATE_DAYS), {
    subject: [{ CN: ['SPARC server'] }],
    publicKey: keys.publicKey,
    extensions: [...ofLeaf(x509.ExtendedKeyUsage.serverAuth), new x509.SubjectAlternativeNameExtension(names)],
  });
  return credentials(keys, certificate);
}

/** As whom a broker of somebody else knows the processes of the cloud. */
const SERVICE = 'sparc-cloud';

/** A new key and certificate for processes of the cloud, to show a broker who they are. */
export async function makeService(root: Credentials, issue: Issue): Promise<Credentials> {
  const keys = await newKeys();
  const certificate = await issued(root, validity(issue, CERTIFICATE_DAYS), {
    subject: [{ CN: [SERVICE] }],
    publicKey: keys.publicKey,
    extensions: ofLeaf(x509.ExtendedKeyUsage.clientAuth),
  });
  return credentials(keys, certificate);
}

type Validity = Pick<x509.X509CertificateCreateCommonParams, 'serialNumber' | 'notBefore' | 'notAfter'>;
type Content = Pick<x509.X509CertificateCreateParams, 'publicKey' | 'extensions'> & { readonly subject: x509.JsonName };

async function issued(by: Credentials, validity: Validity, content: Content): Promise<x509.X509Certificate> {
  const issuer = new x509.X509Certificate(by.certificatePem);
  const keyId = await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto);
  return x509.X509CertificateGenerator.create(
    {
      ...validity,
      ...content,
      extensions: [...(content.extensions ?? []), keyId],
      issuer: issuer.subject,
      signingKey: await privateKeyOf(by.keyPem),
      signingAlgorithm: ALGORITHM,
    },
    webcrypto,
  );
}

const validity = ({ nowUnixMs, serial }: Issue, days: number): Validity => ({
  serialNumber: serialText(serial),
  notBefore: new Date(nowUnixMs - BACKDATED_MS),
  notAfter: new Date(nowUnixMs + days * DAY_MS),
});

/** `pathLength`: how many authorities may be below it. */
const ofAuthority = async ({ publicKey }: webcrypto.CryptoKeyPair, pathLength: number): Promise<x509.Extension[]> => [
  new x509.BasicConstraintsExtension(true, pathLength, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
];

const ofLeaf = (usage: x509.ExtendedKeyUsage): x509.Extension[] => [
  new x509.BasicConstraintsExtension(false, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
  new x509.ExtendedKeyUsageExtension([usage]),
];

/** Whoever made it has the key. */
async function openRequest(der: Uint8Array): Promise<x509.Pkcs10CertificateRequest> {
  try {
    const request = new x509.Pkcs10CertificateRequest(Buffer.from(der));
    const { name, namedCurve } = request.publicKey.algorithm as Partial<typeof ALGORITHM>;
    if (name !== ALGORITHM.name || namedCurve !== ALGORITHM.namedCurve) throw new Error('its key is not of P-256');
    if (!(await request.verify(webcrypto))) throw new Error('it is not signed by its key');
    return request;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SparcError('ERR_IDENTITY_REQUEST_INVALID', `no request for a certificate: ${why}`, {}, { cause });
  }
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

const privateKeyOf = (pem: string) =>
  webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), ALGORITHM, false, ['sign']);

async function credentials(
  { privateKey }: webcrypto.CryptoKeyPair,
  certificate: x509.X509Certificate,
): Promise<Credentials> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', privateKey);
  return { keyPem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'), certificatePem: `${certificate.toString('pem')}\n` };
}

/** Positive, as RFC 5280, 4.1.2.2 wants it. */
const serialText = (serial: Uint8Array): string =>
  Buffer.from([0x40 | ((serial[0] ?? 0) & 0x3f), ...serial.subarray(1, SERIAL_BYTES)]).toString('hex');
