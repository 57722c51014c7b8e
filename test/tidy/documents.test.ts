import t from 'tap';
import { ERRORS } from '@sparc/protocol/errors';
import { EVENTS } from '@sparc/protocol/events';
import { errorsDocument, eventsDocument } from '../support/generated-docs.js';
import { readRepositoryFile, repositoryFiles } from '../support/repository.js';

const sources = repositoryFiles()
  .filter((path) => /^(protocol|firmware-bridges|edge|cloud-sync|simulator)\/.*\.ts$/.test(path))
  .map((path) => ({ path, text: readRepositoryFile(path) }));

t.test('ERRORS.md and EVENTS.md are what `npm run docs` writes', async (t) => {
  t.equal(readRepositoryFile('ERRORS.md'), errorsDocument());
  t.equal(readRepositoryFile('EVENTS.md'), eventsDocument());
});

t.test('every error code of the registry is raised somewhere, and every raised code is in the registry', async (t) => {
  const raising = sources.filter(({ path }) => !path.startsWith('protocol/errors/'));
  for (const code of Object.keys(ERRORS)) {
    t.ok(
      raising.some(({ text }) => text.includes(`'${code}'`)),
      `${code} is raised`,
    );
  }
  for (const { path, text } of raising) {
    for (const [code] of text.matchAll(
      /ERR_(?:OSDP|BUS|POLICY|LEDGER|CONFIG|GATEWAY|API|CLI|SIMULATOR|DATABASE)_[A-Z0-9_]+/g,
    )) {
      t.ok(code in ERRORS, `${code} in ${path} is registered`);
    }
  }
});

t.test('every event of the catalogue is recorded somewhere', async (t) => {
  const recording = sources.filter(({ path }) => !path.startsWith('protocol/events/'));
  for (const name of Object.keys(EVENTS)) {
    t.ok(
      recording.some(({ text }) => text.includes(`'${name}'`)),
      `${name} is recorded`,
    );
  }
});
