import t from 'tap';
import { readRepositoryFile, repositoryFiles } from '../support/repository.js';

const sources = repositoryFiles()
  .filter((path) => /^(protocol|firmware-bridges|edge|cloud-sync)\/.*\.ts$/.test(path))
  .map(readRepositoryFile)
  .join('\n');

t.test('every limit that LIMITS.md names by its constant has that value in the sources', async (t) => {
  const named = [...readRepositoryFile('LIMITS.md').matchAll(/\| `([A-Za-z_0-9]+(?: =|:) [^`]+)` \|/g)];
  t.ok(named.length > 25, `${named.length} limits are named`);
  for (const [, definition = ''] of named) {
    const end = definition.includes('=') ? ';' : ',';
    t.ok(sources.includes(`${definition}${end}`), definition);
  }
});
