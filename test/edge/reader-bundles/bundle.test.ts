import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { isSparcError } from '@sparc/protocol/errors';
import { importBundle, listBundles, loadBundle, makeBundle, readBundle, readPayload } from '@sparc/edge/reader-bundles';
import { checkAsyncProperty } from '../../support/property.js';
import { testSigner } from '../../support/test-signer.js';
import { bundleFile, DESCRIPTION, PAYLOAD, SIGNER } from './bundle-scene.js';

const TRUSTED = [testSigner(3).publicKey, SIGNER.publicKey];

t.test('a bundle gives back what went into it', async (t) => {
  const { path } = bundleFile(t);
  const { manifest, payload } = await readPayload(path, TRUSTED);
  t.match(manifest, DESCRIPTION);
  t.strictSame(payload, PAYLOAD);
  t.equal((await readBundle(path, TRUSTED)).id, (await readPayload(path, TRUSTED)).id);
});

t.test('a bundle by a stranger is refused, whatever it holds', async (t) => {
  const { path } = bundleFile(t);
  await t.rejects(readBundle(path, [testSigner(3).publicKey]), { code: 'ERR_BUNDLE_NOT_AUTHENTIC' });
  await t.rejects(readBundle(path, []), { code: 'ERR_BUNDLE_NOT_AUTHENTIC' });
});

t.test('no changed byte, cut or addition goes unnoticed', async (t) => {
  const { path, bytes } = bundleFile(t);
  const changed = fc.record({ index: fc.nat(bytes.length - 1), mask: fc.integer({ min: 1, max: 255 }) });
  await checkAsyncProperty(
    fc.asyncProperty(changed, async ({ index, mask }) => {
      const copy = Uint8Array.from(bytes);
      copy[index] = (copy[index] ?? 0) ^ mask;
      writeFileSync(path, copy);
      await readPayload(path, TRUSTED).then(
        () => Promise.reject(new Error(`byte ${index} may be changed by ${mask}`)),
        (error: unknown) => {
          if (!isSparcError(error)) throw error;
        },
      );
    }),
    300,
  );
  writeFileSync(path, bytes);
  truncateSync(path, bytes.length - 1);
  await t.rejects(readBundle(path, TRUSTED), { code: 'ERR_BUNDLE_DAMAGED' });
  writeFileSync(path, bytes);
  appendFileSync(path, 'x');
  await t.rejects(readBundle(path, TRUSTED), { code: 'ERR_BUNDLE_DAMAGED' });
  writeFileSync(path, '');
  await t.rejects(readBundle(path, TRUSTED), { code: 'ERR_BUNDLE_DAMAGED' });
  await t.rejects(readBundle(join(path, 'missing'), TRUSTED), { code: 'ERR_BUNDLE_UNREADABLE' });
});

t.test('an imported bundle is found by its id, and only while its signer is trusted', async (t) => {
  const { path } = bundleFile(t);
  const dataDir = dirname(path);
  const { id } = await importBundle(dataDir, path, TRUSTED);
  await importBundle(dataDir, path, TRUSTED);
  t.strictSame(
    (await listBundles(dataDir, TRUSTED)).map((bundle) => bundle.id),
    [id],
  );
  t.strictSame((await loadBundle(dataDir, id, TRUSTED)).payload, PAYLOAD);
  t.strictSame(await listBundles(dataDir, []), []);
  await t.rejects(loadBundle(dataDir, id, []), { code: 'ERR_BUNDLE_UNKNOWN' });
  await t.rejects(loadBundle(dataDir, '../../etc/passwd', TRUSTED), { code: 'ERR_BUNDLE_UNKNOWN' });
});

t.test('a damaged bundle is not imported', async (t) => {
  const dataDir = t.testdir({ data: {} });
  const bytes = makeBundle(DESCRIPTION, PAYLOAD, SIGNER);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  const path = join(dataDir, 'damaged.bundle');
  writeFileSync(path, bytes);
  await t.rejects(importBundle(dataDir, path, TRUSTED), { code: 'ERR_BUNDLE_DAMAGED' });
  t.strictSame(await listBundles(dataDir, TRUSTED), []);
});
