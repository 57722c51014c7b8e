import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Database } from '@sparc/edge/platform';
import { nodePartTools, PARTS_FILE, SqlitePartStore } from '@sparc/edge/policy-parts';
import type { Part } from '@sparc/protocol/ports';
import { SeededRandom } from '@sparc/simulator/world';

function scene(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-parts-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return join(folder, PARTS_FILE);
}
const part = (content: Uint8Array): Part => ({
  hash: Buffer.from(nodePartTools.sha256(content)).toString('hex'),
  content,
});
const [A, B, C] = [part(Uint8Array.of(1)), part(Uint8Array.of(2, 2)), part(Uint8Array.of(3, 3, 3))] as const;

t.test('parts outlive the process that put them', async (t) => {
  const path = scene(t);
  const first = SqlitePartStore.open(path);
  first.put([A, B]);
  first.close();
  const second = SqlitePartStore.open(path);
  t.ok(second.has(A.hash) && second.has(B.hash));
  t.notOk(second.has(C.hash));
  t.strictSame(new Uint8Array(second.get(B.hash) ?? []), B.content);
  t.equal(second.get(C.hash), undefined);
  second.close();
});

t.test('a reader beside it sees what was put, and cannot write', async (t) => {
  const path = scene(t);
  const writer = SqlitePartStore.open(path);
  writer.put([A]);
  const reader = SqlitePartStore.openReadOnly(path);
  t.ok(reader?.has(A.hash));
  writer.put([B]);
  t.ok(reader?.has(B.hash));
  t.throws(() => reader?.put([C]), { code: 'ERR_POLICY_PARTS_FAILED' });
  reader?.close();
  writer.close();
});

t.test('what is to be kept is kept, the rest goes, and the file gets smaller', async (t) => {
  const path = scene(t);
  const store = SqlitePartStore.open(path);
  const random = new SeededRandom(1);
  store.put([A, B, ...Array.from({ length: 64 }, () => part(random.bytes(65_536)))]);
  store.keepOnly(new Set([A.hash, C.hash]));
  t.ok(store.has(A.hash));
  t.notOk(store.has(B.hash));
  store.close();
  t.ok(statSync(path).size < 65_536, String(statSync(path).size));
});

t.test('a part that is dropped is gone, and one that is not there can be dropped', async (t) => {
  const store = SqlitePartStore.open(scene(t));
  store.put([A, B]);
  store.drop(A.hash);
  store.drop(C.hash);
  t.notOk(store.has(A.hash));
  t.ok(store.has(B.hash));
  store.close();
});

t.test('a part that is put again takes the place of what is there', async (t) => {
  const store = SqlitePartStore.open(scene(t));
  store.put([{ hash: A.hash, content: B.content }]);
  store.put([A]);
  t.strictSame(new Uint8Array(store.get(A.hash) ?? []), A.content);
  store.close();
});

t.test('when the disk refuses one part, none of them is there', async (t) => {
  const path = scene(t);
  const store = SqlitePartStore.open(path);
  const other = new Database(path);
  other.exec(
    "CREATE TRIGGER refuse BEFORE INSERT ON part WHEN length(new.content) = 2 BEGIN SELECT RAISE(ABORT, 'full'); END",
  );
  t.throws(() => store.put([A, B]), { code: 'ERR_POLICY_PARTS_FAILED' });
  t.notOk(store.has(A.hash));
  other.close();
  store.close();
});

t.test('a reader finds nothing until the writer has made its table', async (t) => {
  const path = scene(t);
  t.equal(SqlitePartStore.openReadOnly(path), undefined);
  const begun = new Database(path);
  begun.pragma('journal_mode = WAL');
  t.equal(SqlitePartStore.openReadOnly(path), undefined);
  begun.close();
  SqlitePartStore.open(path).close();
  const reader = SqlitePartStore.openReadOnly(path);
  t.equal(reader?.has(A.hash), false);
  reader?.close();
});

t.test('a file that is no database is said', async (t) => {
  const path = scene(t);
  writeFileSync(path, 'no database, but long enough to be taken for one '.repeat(100));
  t.throws(() => SqlitePartStore.open(path), { code: 'ERR_POLICY_PARTS_FAILED' });
});
