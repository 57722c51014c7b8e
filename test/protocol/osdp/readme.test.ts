import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { readRepositoryFile } from '../../support/repository.js';

t.test('the example of the README runs and does what it says', async (t) => {
  const [, example] = /```ts\n([\s\S]*?)```/.exec(readRepositoryFile('protocol/osdp/README.md')) ?? [];
  const path = join(import.meta.dirname, 'readme-example.mjs');
  writeFileSync(path, example ?? '');
  const { log } = (await import(pathToFileURL(path).href)) as { log: readonly string[] };
  t.equal(log[0], 'connecting');
  t.equal(log[1], 'online, secure');
  t.ok(log.includes('ISTATR {inputs=[0, 0]}'));
  t.strictSame(log.slice(-3), ['output 0 on', 'OSTATR {outputs=[1]}', 'acknowledged']);
});
