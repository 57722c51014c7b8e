import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LinkGrant } from '@sparc/protocol/enrolment';
import { SparcError } from '@sparc/protocol/errors';
import { message, required, text, type Infer } from '@sparc/protocol/ledger';
import { createSecretFile, readSecretFile, replaceFileDurably } from '../platform/index.js';
import { certificateRequest, newLinkKey } from './certificate-request.js';

/** How the gateway reaches the cloud, with the key of its certificate (PKCS #8 as PEM): one file, so that neither is without the other. */
const HeldLink = message({ grant: required(1, LinkGrant), keyPem: required(2, text(1_024)) });
export type HeldLink = Infer<typeof HeldLink>;

/**
 * The link to the cloud in `secrets/` of a data directory: `link.bin` counts; `link-next.bin` has a renewed certificate that
 * has not connected yet; `link-request.key` waits for a certificate.
 */
export class LinkFiles {
  constructor(private readonly dataDir: string) {}

  /** Undefined where the cloud gave none. Throws ERR_CLAIM_LINK_INVALID or ERR_CONFIG_SECRET_EXPOSED. */
  current(): HeldLink | undefined {
    return this.#read('link.bin');
  }

  /** As `current`. */
  next(): HeldLink | undefined {
    return this.#read('link-next.bin');
  }

  /** For a certificate of a key that waits here, the same until a certificate came; PKCS #10, DER. */
  request(): Uint8Array {
    const waiting = this.#waitingKey();
    if (waiting !== undefined) return certificateRequest(waiting);
    const keyPem = newLinkKey();
    createSecretFile(this.#path('link-request.key'), Buffer.from(keyPem));
    return certificateRequest(keyPem);
  }

  /** What the cloud granted counts from now on. Throws ERR_CLAIM_LINK_INVALID. */
  keep(grant: LinkGrant): void {
    const keyPem = [this.#waitingKey(), this.current()?.keyPem].find((key) => key !== undefined && isOfKey(grant, key));
    if (keyPem === undefined) throw invalid('its certificate is of a key that this gateway does not have');
    assertGrant(grant);
    this.#write('link.bin', { grant, keyPem });
    this.#remove('link-next.bin');
    this.#remove('link-request.key');
  }

  /** A certificate of the key that waits, in the place of the present one as soon as it has connected. Throws ERR_CLAIM_LINK_INVALID. */
  keepNext(certificates: readonly Uint8Array[]): void {
    const [held, keyPem] = [this.current(), this.#waitingKey()];
    if (held === undefined || keyPem === undefined) throw invalid('nobody asked for a certificate');
    const grant = { ...held.grant, certificates };
    if (!isOfKey(grant, keyPem)) throw invalid('its certificate is of another key');
    assertGrant(grant);
    this.#write('link-next.bin', { grant, keyPem });
    this.#remove('link-request.key');
  }

  /** The renewed certificate has connected: the one before it is given up. */
  nextCounts(): void {
    const next = this.next();
    if (next === undefined) return;
    this.#write('link.bin', next);
    this.#remove('link-next.bin');
  }

  #waitingKey(): string | undefined {
    const stored = readSecretFile(this.#path('link-request.key'));
    return stored && Buffer.from(stored).toString('latin1');
  }

  #read(name: string): HeldLink | undefined {
    const stored = readSecretFile(this.#path(name));
    if (stored === undefined) return undefined;
    try {
      return HeldLink.decode(stored);
    } catch (cause) {
      throw invalid(`${this.#path(name)} is damaged`, cause);
    }
  }

  #write(name: string, link: HeldLink): void {
    mkdirSync(join(this.dataDir, 'secrets'), { recursive: true, mode: 0o700 });
    replaceFileDurably(this.#path(name), HeldLink.encode(link), 0o600);
  }

  #remove(name: string): void {
    rmSync(this.#path(name), { force: true });
  }

  #path(name: string): string {
    return join(this.dataDir, 'secrets', name);
  }
}

/** Of the gateway's certificate, by which a gateway shows who it is. Throws ERR_CLAIM_LINK_INVALID. */
export function certificateOf({ certificates: [own] }: Pick<LinkGrant, 'certificates'>): X509Certificate {
  try {
    return new X509Certificate(own ?? new Uint8Array());
  } catch (cause) {
    throw invalid('it has no certificate', cause);
  }
}

const isOfKey = (grant: LinkGrant, keyPem: string): boolean =>
  certificateOf(grant).checkPrivateKey(createPrivateKey(keyPem));

/** That it leads to the root that it names, over addresses of the right kinds. */
function assertGrant({ brokerUrl, renewalUrl, root, certificates }: LinkGrant): void {
  if (!/^mqtts:\/\/[^/@?#]+$/.test(brokerUrl)) throw invalid('the broker has no address mqtts://HOST:PORT');
  if (!/^https:\/\/[^/@?#]+$/.test(renewalUrl))
    throw invalid('certificates are renewed at no address https://HOST:PORT');
  const chain = [...certificates, root].map((certificate) => new X509Certificate(certificate));
  const isChain = chain.every((each, at) => each.verify((chain[at + 1] ?? each).publicKey));
  if (!isChain) throw invalid('its certificate does not lead to the root of the cloud');
}

const invalid = (message: string, cause?: unknown) =>
  new SparcError('ERR_CLAIM_LINK_INVALID', `the link to the cloud: ${message}`, {}, { cause });
