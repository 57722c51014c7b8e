import t from 'tap';
import { readRepositoryFile } from '../support/repository.js';
import { ACTS } from './acts.js';
import { CHECKS } from './checks.js';
import { SETTINGS } from './settings.js';

const row = ({ phrase, means }: { readonly phrase: string; readonly means: string }): string =>
  `- \`${phrase}\`${means === '' ? '' : `: ${means}`}`;

t.test('the README explains each sentence, and no other', async (t) => {
  const listed = readRepositoryFile('test/scenarios/README.md')
    .split('\n')
    .filter((line) => line.startsWith('- `'));
  t.same(listed, [...SETTINGS.sentences, ...ACTS.sentences, ...CHECKS.sentences].map(row));
});
