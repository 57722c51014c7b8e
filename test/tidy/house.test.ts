import t from 'tap';
import { readRepositoryFile, repositoryFiles } from '../support/repository.js';

const files = repositoryFiles();
const sources = files.filter((path) => /^(protocol|firmware-bridges|edge|simulator|cloud-sync)\/.*\.ts$/.test(path));

/** What each part of the house may import, beside itself, its package and (where not pure) Node. */
const MAY_IMPORT: readonly { readonly from: RegExp; readonly packages: readonly string[] }[] = [
  { from: /^protocol\//, packages: [] },
  { from: /^firmware-bridges\//, packages: ['protocol'] },
  { from: /^edge\//, packages: ['protocol', 'firmware-bridges'] },
  { from: /^cloud-sync\//, packages: ['protocol'] },
  { from: /^simulator\/site\//, packages: ['protocol', 'firmware-bridges', 'edge'] },
  { from: /^simulator\/cloud\//, packages: ['protocol', 'cloud-sync'] },
  { from: /^simulator\//, packages: ['protocol'] },
];

t.test('imports follow the direction of the house', async (t) => {
  for (const path of sources) {
    const own = path.split('/')[0];
    const rule = MAY_IMPORT.find(({ from }) => from.test(path));
    for (const [, imported] of readRepositoryFile(path).matchAll(/from '@sparc\/([a-z-]+)/g)) {
      t.ok(imported === own || rule?.packages.includes(imported ?? ''), `${path} may import @sparc/${imported}`);
    }
  }
});

t.test('protocol sees neither Node nor a package outside its list', async (t) => {
  for (const path of sources.filter((name) => name.startsWith('protocol/'))) {
    for (const [, module] of readRepositoryFile(path).matchAll(/from '([^.'][^']*)'/g)) {
      t.match(
        module,
        /^(@noble\/|@sparc\/protocol|protobufjs\/minimal|@sinclair\/typebox)/,
        `${path} imports ${module}`,
      );
    }
  }
});

t.test("nothing in the repository names a path or a host of somebody's machine", async (t) => {
  const text = files.filter((path) => !/\.(png|db|bin)$/.test(path));
  for (const path of text) {
    t.notMatch(readRepositoryFile(path), /(^|[^A-Za-z0-9_.])\/(wor[k]|hom[e]\/[a-z]|Users\/[A-Z])\//, path);
  }
});

t.test('every module of a package is in the table of its README', async (t) => {
  for (const name of ['protocol', 'edge', 'cloud-sync']) {
    const readme = readRepositoryFile(`${name}/README.md`);
    const rows = readme.split('\n').filter((line) => line.startsWith('| '));
    const named = new Set(rows.flatMap((row) => row.split('|')[1]?.match(/[a-z-]+/g) ?? []));
    const modules = sources.map((path) => path.split('/')).filter(([of, , file]) => of === name && file !== undefined);
    for (const module of new Set(modules.map(([, folder]) => folder))) {
      t.ok(named.has(module ?? ''), `${name}/README.md has a row of ${module}`);
    }
  }
});

t.test('every top-level folder of the house has a README', async (t) => {
  for (const folder of ['protocol', 'firmware-bridges', 'edge', 'cloud-sync', 'simulator', 'deploy', 'test']) {
    t.ok(files.includes(`${folder}/README.md`), folder);
  }
});
