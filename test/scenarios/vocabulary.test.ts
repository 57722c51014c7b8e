import t from 'tap';
import { readRepositoryFile } from '../support/repository.js';
import { ACTS } from './acts.js';
import { CHECKS } from './checks.js';
import { RULES } from './rules.js';
import { SETTINGS } from './settings.js';

const row = ({ phrase, means }: { readonly phrase: string; readonly means: string }): string =>
  `- \`${phrase}\`${means === '' ? '' : `: ${means}`}`;

t.test('the README lists the rules that scenarios name', async (t) => {
  const listed = readRepositoryFile('test/scenarios/README.md')
    .split('\n')
    .filter((line) => /^\| 4\./.test(line));
  t.same(
    listed,
    Object.entries(RULES).map(([rule, text]) => `| ${rule} | ${text} |`),
  );
});

t.test('the README explains each sentence, and no other', async (t) => {
  const listed = readRepositoryFile('test/scenarios/README.md')
    .split('\n')
    .filter((line) => line.startsWith('- `'));
  t.same(listed, [...SETTINGS.sentences, ...ACTS.sentences, ...CHECKS.sentences].map(row));
});
