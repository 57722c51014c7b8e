import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Carrier } from '@sparc/protocol/cloud-link';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Random } from '@sparc/protocol/ports';
import { fromHex, keepSecretFile, readSecretFile } from '../platform/index.js';
import {
  issueGatewayCertificate,
  makeRoot,
  makeServer,
  makeService,
  makeTenantAuthority,
  type Credentials,
  type Issue,
} from './certificates.js';

export interface CertificateDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export interface IssuedCertificate {
  readonly serial: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** DER: the gateway's, and that of the authority which issued it; a gateway shows both. */
  readonly chain: readonly [Uint8Array, Uint8Array];
}

const SERIAL_BYTES = 16;

/** Key and certificate, in one file each, so that none is ever without the other. */
const BLOCKS = /^(-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----\n)(-----BEGIN CERTIFICATE-----.*)$/s;

/**
 * The authorities of an installation, in a folder that only the cloud can read: the root, made at the first start, and below
 * it one for the gateways of each tenant, made when its first gateway comes.
 */
export class CertificateAuthorities {
  private constructor(
    private readonly folder: string,
    private readonly deps: CertificateDeps,
    private readonly root: Credentials,
  ) {}

  /** Throws ERR_CONFIG_SECRET_EXPOSED, ERR_CONFIG_UNREADABLE, ERR_CONFIG_SECRET_CORRUPT, or what the file system throws. */
  static async open(folder: string, deps: CertificateDeps): Promise<CertificateAuthorities> {
    const root = await kept(join(folder, 'root.pem'), () => makeRoot(issueNow(deps)));
    return new CertificateAuthorities(folder, deps, root);
  }

  /** What gateways trust, and servers take certificates below. */
  get rootPem(): string {
    return this.root.certificatePem;
  }

  get rootDer(): Uint8Array {
    return Uint8Array.from(new X509Certificate(this.rootPem).raw);
  }

  /** Throws ERR_IDENTITY_REQUEST_INVALID for a request (PKCS #10, DER) that is none. */
  async issue(carrier: Carrier, request: Uint8Array): Promise<IssuedCertificate> {
    const { tenant } = carrier;
    const authority = await kept(join(this.folder, `tenant-${tenant}.pem`), () =>
      makeTenantAuthority(this.root, tenant, issueNow(this.deps)),
    );
    const leaf = await issueGatewayCertificate(authority, request, carrier, issueNow(this.deps));
    const { raw } = new X509Certificate(authority.certificatePem);
    return {
      serial: fromHex(leaf.serialNumber),
      notBefore: leaf.notBefore,
      notAfter: leaf.notAfter,
      chain: [new Uint8Array(leaf.rawData), Uint8Array.from(raw)],
    };
  }

  /** For a server of this installation that is called by these names or addresses; new each time. */
  server(hosts: readonly string[]): Promise<Credentials> {
    return makeServer(this.root, hosts, issueNow(this.deps));
  }

  /** For processes of this installation, by which a broker of somebody else knows them; new each time. */
  service(): Promise<Credentials> {
    return makeService(this.root, issueNow(this.deps));
  }
}

const issueNow = ({ clock, random }: CertificateDeps): Issue => ({
  nowUnixMs: clock.wall().unixMs,
  serial: random.bytes(SERIAL_BYTES),
});

async function kept(path: string, make: () => Promise<Credentials>): Promise<Credentials> {
  const stored = readSecretFile(path);
  if (stored !== undefined) return parse(path, stored);
  const { keyPem, certificatePem } = await make();
  return parse(path, keepSecretFile(path, Buffer.from(`${keyPem.trimEnd()}\n${certificatePem}`)));
}

function parse(path: string, bytes: Uint8Array): Credentials {
  const [, keyPem, certificatePem] = BLOCKS.exec(Buffer.from(bytes).toString('latin1')) ?? [];
  if (keyPem !== undefined && certificatePem !== undefined) return { keyPem, certificatePem };
  throw new SparcError('ERR_CONFIG_SECRET_CORRUPT', `${path} does not hold a key and its certificate`, { path });
}
