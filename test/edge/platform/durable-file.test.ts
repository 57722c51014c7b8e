import { readdirSync, readFileSync, rmdirSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { replaceFileDurably, replaceFileDurablyLater } from '@sparc/edge/platform';

t.test('of two who write one file at once neither spoils what the other writes', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'state.json');
  const [long, short] = [Buffer.alloc(1 << 20, 'a'), Buffer.alloc(1 << 10, 'b')];
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.all([replaceFileDurablyLater(path, long), replaceFileDurablyLater(path, short)]);
    const content = readFileSync(path);
    t.ok(content.equals(long) || content.equals(short), 'one of them, whole');
  }
  t.same(readdirSync(folder), ['state.json']);
});

t.test('a write that fails leaves nothing behind', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'state.json');
  mkdirSync(path);
  await t.rejects(replaceFileDurablyLater(path, Buffer.from('a')));
  t.throws(() => replaceFileDurably(path, Buffer.from('a')));
  rmdirSync(path);
  t.same(readdirSync(folder), []);
});
