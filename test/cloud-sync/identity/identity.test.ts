import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { carrierOf, issueCertificate, makeAuthority, siteSigner } from '@sparc/cloud-sync/identity';
import { certificateRequest } from '../../support/certificates.js';

const [ours, theirs] = ['0b9e8f7a-1c2d-4e3f-8a9b-0c1d2e3f4a5b', '1b9e8f7a-1c2d-4e3f-8a9b-0c1d2e3f4a5b'];
const carrier = { tenant: ours, site: 'harbour', gateway: 'ab'.repeat(32) };
let serial = 0;
const issue = () => ({ nowUnixMs: Date.UTC(2026, 10, 22), serial: new Uint8Array(16).fill(++serial) });

t.test("a certificate names whom its tenant's own authority issued it to", async (t) => {
  const [own, other] = [await makeAuthority(ours, issue()), await makeAuthority(theirs, issue())];
  const authorities = new Map([
    [ours, new X509Certificate(own.certificatePem)],
    [theirs, new X509Certificate(other.certificatePem)],
  ]);
  const { requestPem, keyPem } = await certificateRequest();
  const certificate = new X509Certificate(await issueCertificate(own, requestPem, carrier, issue()));
  t.strictSame(carrierOf(certificate, authorities), carrier);
  t.match(certificate.validTo, /Feb 20 .* 2027/, 'for 90 days');
  t.notOk(certificate.ca);
  t.notMatch(certificate.toString(), keyPem, 'the key stays where it is');

  const smuggled = new X509Certificate(await issueCertificate(other, requestPem, carrier, issue()));
  t.equal(carrierOf(smuggled, authorities), undefined, 'not by the authority of another tenant');
  const same = await makeAuthority(ours, issue());
  const imitated = new X509Certificate(await issueCertificate(same, requestPem, carrier, issue()));
  t.equal(carrierOf(imitated, authorities), undefined, 'nor by one of the same name');
  t.equal(carrierOf(new X509Certificate(own.certificatePem), authorities), undefined, 'nor is the authority a gateway');
});

t.test('a request that is none, or was changed, gets no certificate', async (t) => {
  const authority = await makeAuthority(ours, issue());
  const refused = { code: 'ERR_IDENTITY_REQUEST_INVALID' };
  const { requestPem } = await certificateRequest();
  const lines = requestPem.split('\n');
  const [head = '', body = '', ...rest] = lines;
  const altered = [head, body.slice(0, -4) + (body.endsWith('AAAA') ? 'BBBB' : 'AAAA'), ...rest].join('\n');
  for (const text of ['', 'no request', altered]) {
    await t.rejects(issueCertificate(authority, text, carrier, issue()), refused);
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
