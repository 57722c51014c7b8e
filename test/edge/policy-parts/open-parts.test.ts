import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openParts, PARTS_FILE } from '@sparc/edge/policy-parts';

const HASH = 'ab'.repeat(32);

function scene(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-open-parts-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const moved: string[] = [];
  return { folder, path: join(folder, PARTS_FILE), moved, onMoved: (movedTo: string) => void moved.push(movedTo) };
}

t.test('parts that are damaged are moved aside, and a new store begins', async (t) => {
  const { folder, path, moved, onMoved } = scene(t);
  writeFileSync(path, 'no database, but long enough to be taken for the header of one'.repeat(20));
  const store = openParts(path, onMoved);
  store.put([{ hash: HASH, content: new Uint8Array(3) }]);
  t.ok(store.has(HASH));
  t.ok(existsSync(join(folder, moved[0] ?? '')), moved.join());
  store.close();
  const again = openParts(path, onMoved);
  t.equal(moved.length, 1);
  t.ok(again.has(HASH), 'a store in order is opened as it is');
  again.close();
});

t.test('a file that is found to be damaged while it is used is moved aside, and a new one is filled', async (t) => {
  const { folder, path, moved, onMoved } = scene(t);
  const parts = Array.from({ length: 200 }, (_, index) => ({
    hash: index.toString(16).padStart(64, '0'),
    content: new Uint8Array(1_000).fill(index),
  }));
  const before = openParts(path, onMoved);
  before.put(parts);
  before.close();
  const store = openParts(path, onMoved);
  overwrite(path, 4_096);
  t.throws(() => parts.map(({ hash }) => store.get(hash)), { code: 'ERR_POLICY_PARTS_FAILED' });
  t.strictSame([moved.length, existsSync(join(folder, moved[0] ?? ''))], [1, true]);
  t.notOk(store.has(HASH), 'it goes on, empty');
  store.put([{ hash: HASH, content: new Uint8Array(3) }]);
  store.close();
  t.throws(() => store.has(HASH), { code: 'ERR_POLICY_PARTS_FAILED' }, 'one that was closed stays so');
  const again = openParts(path, onMoved);
  t.ok(again.has(HASH));
  again.close();
  t.equal(moved.length, 1);
});

t.test('a file that cannot be opened for another reason stays where it is', async (t) => {
  const { folder, path, moved, onMoved } = scene(t);
  t.throws(() => openParts(join(folder, 'nowhere', PARTS_FILE), onMoved), { code: 'ERR_POLICY_PARTS_FAILED' });
  mkdirSync(path);
  t.throws(() => openParts(path, onMoved), { code: 'ERR_POLICY_PARTS_FAILED' });
  t.ok(existsSync(path));
  t.strictSame(moved, []);
});

/** From some byte on. */
function overwrite(path: string, fromByte: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, new Uint8Array(statSync(path).size - fromByte).fill(255), 0, undefined, fromByte);
  closeSync(file);
}
