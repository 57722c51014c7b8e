import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import t from 'tap';
import { findIdentitySeed, loadIdentity, verifySignature } from '@sparc/edge/platform';

function dataDir(t: { teardown(done: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'sparc-identity-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}
const message = Buffer.from('a message');

t.test('the identity is made once, kept, and readable by its owner alone', async (t) => {
  const folder = dataDir(t);
  const first = loadIdentity(folder);
  t.equal(first.publicKey.length, 32);
  t.strictSame(loadIdentity(folder).publicKey, first.publicKey);
  t.equal(statSync(join(folder, 'secrets', 'gateway.key')).mode & 0o777, 0o600);
  t.strictSame(readdirSync(join(folder, 'secrets')), ['gateway.key']);
});

t.test('the seed of the identity makes the same key, and nothing makes one by asking for it', async (t) => {
  const folder = dataDir(t);
  t.equal(findIdentitySeed(folder), undefined);
  t.strictSame(readdirSync(folder), []);
  const { publicKey } = loadIdentity(folder);
  t.strictSame(ed25519.getPublicKey(findIdentitySeed(folder) ?? new Uint8Array()), publicKey);
});

t.test('signatures are those of RFC 8032, as another implementation sees them', async (t) => {
  const signer = loadIdentity(dataDir(t));
  const signature = signer.sign(message);
  t.ok(ed25519.verify(signature, message, signer.publicKey));
  const seed = new Uint8Array(32).fill(9);
  t.ok(verifySignature(ed25519.getPublicKey(seed), message, ed25519.sign(message, seed)));
});

t.test('a wrong signature, key or message is false and never thrown', async (t) => {
  const signer = loadIdentity(dataDir(t));
  const signature = signer.sign(message);
  t.ok(verifySignature(signer.publicKey, message, signature));
  t.notOk(verifySignature(signer.publicKey, Buffer.from('another'), signature));
  t.notOk(verifySignature(signer.publicKey, message, signature.subarray(1)));
  t.notOk(verifySignature(new Uint8Array(31), message, signature));
  t.notOk(verifySignature(new Uint8Array(32).fill(255), message, signature));
});

t.test('a key that others can read, or that is damaged, is refused with its code', async (t) => {
  const folder = dataDir(t);
  const path = join(folder, 'secrets', 'gateway.key');
  loadIdentity(folder);
  chmodSync(path, 0o644);
  t.throws(() => loadIdentity(folder), { code: 'ERR_CONFIG_SECRET_EXPOSED' });
  chmodSync(path, 0o600);
  writeFileSync(path, '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
  t.throws(() => loadIdentity(folder), { code: 'ERR_CONFIG_SECRET_CORRUPT' });
  rmSync(path);
  t.doesNotThrow(() => loadIdentity(folder));
});
