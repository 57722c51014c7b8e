import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { CertificateAuthorities } from '@sparc/cloud-sync/identity';
import { nodeRandom } from '@sparc/edge/platform';
import { systemClock } from './system-clock.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const keyPair = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
const pemOf = async (key: webcrypto.CryptoKey) =>
  x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

/** A key and the request for its certificate, as a gateway makes them. */
export async function certificateRequest(): Promise<{ readonly keyPem: string; readonly request: Uint8Array }> {
  const keys = await keyPair();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: ALGORITHM }, webcrypto);
  return { keyPem: await pemOf(keys.privateKey), request: new Uint8Array(request.rawData) };
}

/** Of an installation of its own, where the folder has none yet. */
export const openAuthorities = (folder: string): Promise<CertificateAuthorities> =>
  CertificateAuthorities.open(folder, { clock: systemClock, random: nodeRandom });
