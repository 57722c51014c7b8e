// The tests of some files, one file after the other, in this process: `node together.js file …`. After those of each file
// stands a test that has its name, by which `run.js` tells them apart.
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = join(import.meta.dirname, 'dist');
const [node, , ...files] = process.argv;
const [first = dist] = files;
// By it tap names the folders that tests have for themselves, and another process has others.
process.argv = [node, files.length === 1 ? first : dirname(first)];
const { default: t } = await import('tap');

for (const file of files) {
  await import(pathToFileURL(file).href);
  await t.test(`end of ${relative(dist, file)}`, async (t) => t.pass());
}
