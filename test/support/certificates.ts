import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const keyPair = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
const pemOf = async (key: webcrypto.CryptoKey) =>
  x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

/** A key and the request for its certificate, as a gateway makes them. */
export async function certificateRequest(): Promise<{ readonly keyPem: string; readonly requestPem: string }> {
  const keys = await keyPair();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: ALGORITHM }, webcrypto);
  return { keyPem: await pemOf(keys.privateKey), requestPem: request.toString('pem') };
}

/** Of a server on loopback, for an hour, and its own authority. */
export async function serverCertificate(
  nowUnixMs = Date.now(),
): Promise<{ readonly keyPem: string; readonly certificatePem: string }> {
  const keys = await keyPair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=127.0.0.1',
      notBefore: new Date(nowUnixMs - 60_000),
      notAfter: new Date(nowUnixMs + 3_600_000),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
    },
    webcrypto,
  );
  return { keyPem: await pemOf(keys.privateKey), certificatePem: certificate.toString('pem') };
}
