import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import t from 'tap';
import { carrierOf, siteSigner, type CertificateAuthorities } from '@sparc/cloud-sync/identity';
import { keyAndRequest, openAuthorities } from '../../support/certificates.js';

const [ours, theirs] = ['0b9e8f7a-1c2d-4e3f-8a9b-0c1d2e3f4a5b', '1b9e8f7a-1c2d-4e3f-8a9b-0c1d2e3f4a5b'];
const carrier = { tenant: ours, site: 'harbour', gateway: 'ab'.repeat(32) };

const folder = mkdtempSync(join(tmpdir(), 'sparc-identity-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const asPem = (chain: readonly Uint8Array[]) => chain.map((der) => new X509Certificate(der).toString()).join('');

/** Whom a server of the installation takes a caller for; undefined where TLS refuses it. */
async function takenFor(authorities: CertificateAuthorities, keyPem: string, certificates: string) {
  const { keyPem: key, certificatePem: cert } = await authorities.server(['127.0.0.1']);
  const ca = authorities.rootPem;
  const server = createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const taken = new Promise<ReturnType<typeof carrierOf>>((resolve) => {
    server.once('secureConnection', (socket) => {
      const certificate = socket.getPeerX509Certificate();
      resolve(certificate && carrierOf(certificate));
    });
    server.once('tlsClientError', () => resolve(undefined));
  });
  const socket = connect({ host: '127.0.0.1', port, key: keyPem, cert: certificates, ca });
  socket.on('error', () => undefined);
  try {
    return await taken;
  } finally {
    socket.destroy();
    server.close();
  }
}

t.test(
  "a certificate names whom its tenant's own authority issued it to, below the root of the installation",
  async (t) => {
    const authorities = await openAuthorities(join(folder, 'keys'));
    const { request, keyPem } = keyAndRequest();
    const { chain, notAfter, serial } = await authorities.issue(carrier, request);
    t.strictSame(await takenFor(authorities, keyPem, asPem(chain)), carrier);

    const certificate = new X509Certificate(chain[0]);
    t.notOk(certificate.ca);
    t.equal(Math.round((notAfter.getTime() - Date.now()) / 86_400_000), 90, 'days');
    t.equal(certificate.serialNumber.toLowerCase(), Buffer.from(serial).toString('hex'));

    const other = await authorities.issue({ ...carrier, tenant: theirs }, request);
    const [smuggled] = (await authorities.issue(carrier, request)).chain;
    t.strictSame(await takenFor(authorities, keyPem, asPem(other.chain)), { ...carrier, tenant: theirs });
    t.equal(
      await takenFor(authorities, keyPem, asPem([smuggled, other.chain[1]])),
      undefined,
      'nor by that of another',
    );

    const imitation = await openAuthorities(join(folder, 'imitation'));
    const imitated = await imitation.issue(carrier, request);
    t.equal(await takenFor(authorities, keyPem, asPem(imitated.chain)), undefined, 'nor in another installation');
    const server = await authorities.server(['127.0.0.1']);
    t.equal(await takenFor(authorities, server.keyPem, server.certificatePem), undefined, 'nor is a server a gateway');
  },
);

t.test(
  'authorities are the same after a restart, for all who open them at once, and readable for nobody else',
  async (t) => {
    const path = join(folder, 'kept');
    const [one, two] = await Promise.all([openAuthorities(path), openAuthorities(path)]);
    t.equal(one.rootPem, two.rootPem);
    const { request } = keyAndRequest();
    const [first] = await Promise.all([one.issue(carrier, request), two.issue(carrier, request)]);
    const again = await (await openAuthorities(path)).issue(carrier, request);
    t.strictSame(again.chain[1], first.chain[1]);
    t.notSame(again.serial, first.serial);
    t.strictSame(readdirSync(path), ['root.pem', `tenant-${ours}.pem`]);
    t.equal(statSync(join(path, 'root.pem')).mode & 0o777, 0o600);

    chmodSync(join(path, 'root.pem'), 0o640);
    await t.rejects(openAuthorities(path), { code: 'ERR_CONFIG_SECRET_EXPOSED' });
    chmodSync(join(path, 'root.pem'), 0o600);
    writeFileSync(join(path, 'root.pem'), 'nothing');
    await t.rejects(openAuthorities(path), { code: 'ERR_CONFIG_SECRET_CORRUPT' });
  },
);

t.test('a request that is none, or was changed, gets no certificate', async (t) => {
  const authorities = await openAuthorities(join(folder, 'keys'));
  const refused = { code: 'ERR_IDENTITY_REQUEST_INVALID' };
  const { request } = keyAndRequest();
  const altered = request.map((byte, at) => (at === 60 ? byte ^ 1 : byte));
  for (const bytes of [new Uint8Array(), new TextEncoder().encode('no request'), altered]) {
    await t.rejects(authorities.issue(carrier, bytes), refused);
  }
});

t.test('the cloud has a key of its own for each site, the same after a restart', async (t) => {
  const secret = new Uint8Array(32).fill(1);
  const key = siteSigner(secret, ours, 'harbour').publicKey;
  t.strictSame(siteSigner(secret, ours, 'harbour').publicKey, key);
  for (const other of [
    siteSigner(secret, ours, 'airport'),
    siteSigner(secret, theirs, 'harbour'),
    siteSigner(new Uint8Array(32), ours, 'harbour'),
  ]) {
    t.notSame(other.publicKey, key);
  }
});
