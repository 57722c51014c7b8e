import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { LinkFiles } from '@sparc/edge/cloud-enrolment';
import { keyAndRequest, openAuthorities } from '../../support/certificates.js';

const folder = mkdtempSync(join(tmpdir(), 'sparc-link-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const tenant = '0b9e8f7a-1c2d-4e3f-8a9b-0c1d2e3f4a5b';
const carrier = { tenant, site: 'harbour', gateway: 'ab'.repeat(32) };

t.test('what the cloud granted is held with its key, and a renewed certificate until it counts', async (t) => {
  const authorities = await openAuthorities(join(folder, 'keys'));
  const granted = async (request: Uint8Array) => ({
    tenant,
    cloudKey: new Uint8Array(32).fill(7),
    brokerUrl: 'mqtts://cloud.example.com:7783',
    renewalUrl: 'https://cloud.example.com:7743',
    root: authorities.rootDer,
    certificates: (await authorities.issue(carrier, request)).chain,
  });
  const dataDir = join(folder, 'gateway');
  const files = new LinkFiles(dataDir);
  const stored = () => readdirSync(join(dataDir, 'secrets')).sort();
  const refused = { code: 'ERR_CLAIM_LINK_INVALID' };
  t.equal(files.current(), undefined);

  const grant = await granted(files.request());
  t.throws(() => files.keepNext(grant.certificates), refused, 'there is nothing to renew yet');
  for (const wrong of [
    await granted(keyAndRequest().request),
    { ...grant, certificates: [] },
    { ...grant, certificates: grant.certificates.slice(0, 1) },
    { ...grant, certificates: [...grant.certificates].reverse() },
    { ...grant, root: (await openAuthorities(join(folder, 'others'))).rootDer },
    { ...grant, brokerUrl: 'mqtt://cloud.example.com' },
    { ...grant, renewalUrl: 'http://cloud.example.com' },
  ]) {
    t.throws(() => files.keep(wrong), refused);
  }
  t.strictSame(stored(), ['link-request.key']);
  files.keep(await granted(files.request()));
  t.strictSame(stored(), ['link.bin'], 'the key that waited is the one of the certificate');
  t.equal(statSync(join(dataDir, 'secrets', 'link.bin')).mode & 0o777, 0o600);
  const first = new LinkFiles(dataDir).current();
  t.strictSame(first?.grant.brokerUrl, grant.brokerUrl);
  files.keep(first?.grant ?? grant);
  t.strictSame(files.current(), first, 'the same once more changes nothing');

  files.keepNext((await authorities.issue(carrier, files.request())).chain);
  t.strictSame(stored(), ['link-next.bin', 'link.bin']);
  t.strictSame(files.current(), first);
  const next = files.next();
  t.notSame(next?.keyPem, first?.keyPem);
  t.strictSame({ ...next?.grant, certificates: [] }, { ...first?.grant, certificates: [] });
  files.nextCounts();
  t.strictSame(files.current(), next);
  t.strictSame(stored(), ['link.bin']);

  writeFileSync(join(dataDir, 'secrets', 'link.bin'), 'damaged');
  t.throws(() => files.current(), refused);
});
