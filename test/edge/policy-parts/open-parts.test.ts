import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openParts, PARTS_FILE } from '@sparc/edge/policy-parts';

t.test('parts that are damaged are moved aside, and a new store begins', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-open-parts-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, PARTS_FILE);
  writeFileSync(path, 'no database, but long enough to be taken for the header of one'.repeat(20));
  const { store, movedTo = '' } = openParts(path);
  const hash = 'ab'.repeat(32);
  store.put([{ hash, content: new Uint8Array(3) }]);
  t.ok(store.has(hash));
  t.ok(existsSync(join(folder, movedTo)), movedTo);
  store.close();
  const again = openParts(path);
  t.equal(again.movedTo, undefined);
  t.ok(again.store.has(hash), 'a store in order is opened as it is');
  again.store.close();
});

t.test('a file that cannot be opened for another reason stays where it is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-open-parts-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  t.throws(() => openParts(join(folder, 'nowhere', PARTS_FILE)), { code: 'ERR_POLICY_PARTS_FAILED' });
  const path = join(folder, PARTS_FILE);
  mkdirSync(path);
  t.throws(() => openParts(path), { code: 'ERR_POLICY_PARTS_FAILED' });
  t.ok(existsSync(path));
});
