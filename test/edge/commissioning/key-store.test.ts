import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KEY_STORE_FILE, KeyStore } from '@sparc/edge/commissioning';
import { nodeRandom } from '@sparc/edge/platform';
import { scratch } from './commissioning-scene.js';

const KEY = Uint8Array.from({ length: 16 }, (_, index) => 0xa0 + index);
const HEX = Buffer.from(KEY).toString('hex');

t.test('keys outlive the process, and their file shows none of them', async (t) => {
  const dataDir = scratch(t);
  const store = KeyStore.load(dataDir, nodeRandom);
  t.equal(store.devices.size, 0);
  await store.set('front', { current: KEY });
  await Promise.all([store.set('back', { next: KEY }), store.set('side', { current: KEY, next: KEY })]);
  const path = join(dataDir, KEY_STORE_FILE);
  t.equal(statSync(path).mode & 0o777, 0o600);
  const text = readFileSync(path);
  t.notOk(text.includes(HEX) || text.includes(Buffer.from(KEY)) || text.includes('front'));
  const again = KeyStore.load(dataDir, nodeRandom).devices;
  t.strictSame([...again.keys()], ['front', 'back', 'side']);
  t.strictSame(again.get('side'), { current: KEY, next: KEY });
});

t.test('a store that was changed, cut, or is from another gateway is refused and not replaced', async (t) => {
  const dataDir = scratch(t);
  await KeyStore.load(dataDir, nodeRandom).set('front', { current: KEY });
  const path = join(dataDir, KEY_STORE_FILE);
  const whole = readFileSync(path, 'utf8');
  const refused = { code: 'ERR_COMMISSIONING_KEYS_DAMAGED' };
  const swapped = whole.replace(/.(?="\})/, (last) => (last === 'A' ? 'Q' : 'A'));
  for (const text of ['', '{}', whole.slice(0, 40), swapped.replace(/sealed":"./, 'sealed":"_')]) {
    writeFileSync(path, text);
    t.throws(() => KeyStore.load(dataDir, nodeRandom), refused, text);
    t.equal(readFileSync(path, 'utf8'), text);
  }
  writeFileSync(path, whole);
  rmSync(join(dataDir, 'secrets', 'osdp-store.key'));
  t.throws(() => KeyStore.load(dataDir, nodeRandom), refused, 'with another sealing key');
  chmodSync(path, 0o644);
  t.throws(() => KeyStore.load(dataDir, nodeRandom), { code: 'ERR_CONFIG_SECRET_EXPOSED' });
});

t.test('a restore is remembered until it is on record', async (t) => {
  const dataDir = scratch(t);
  await KeyStore.load(dataDir, nodeRandom).restore(new Map([['front', { current: KEY }]]), 'digest');
  const store = KeyStore.load(dataDir, nodeRandom);
  t.equal(store.restored, 'digest');
  await store.forgetRestored();
  const after = KeyStore.load(dataDir, nodeRandom);
  t.equal(after.restored, undefined);
  t.strictSame(after.devices.get('front'), { current: KEY });
});
