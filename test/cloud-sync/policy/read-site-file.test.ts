import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { readSiteFile, SITE_FILE_LENGTH_MAX } from '@sparc/cloud-sync/policy';
import { SITE_FILE } from '../../support/site-file.js';

const PEOPLE = 8_000;
const person = (at: number) => ({ id: `h${at}`, name: `Holder ${at}`, status: 'active' });
const people = Array.from({ length: PEOPLE }, (_, at) => person(at));
const YAML = `version: 1\ncredentialHolders:\n${people.map(({ id, name }) => `  - { id: ${id}, name: ${name} }`).join('\n')}\n`;

const refused = (on: Test, text: string, message: RegExp, bounds?: Parameters<typeof readSiteFile>[1]) =>
  on.rejects(readSiteFile(text, bounds), {
    code: 'ERR_POLICY_INVALID',
    details: { problems: [{ kind: 'site', message }] },
  });

t.test('a site file is read object by object, whatever it is written in', async (t) => {
  const pieces = await readSiteFile(SITE_FILE);
  t.match(
    pieces.find(({ kind }) => kind === 'site'),
    { given: [{ id: 'harbour' }] },
  );
  t.match(
    pieces.find(({ kind }) => kind === 'doors'),
    { given: [{ id: 'front' }, { id: 'lab' }] },
  );
  const json = JSON.stringify({ version: 1, credentialHolders: people }, undefined, '\t');
  t.strictSame(
    (await readSiteFile(json)).flatMap(({ given }) => given),
    people,
  );
  t.strictSame(await readSiteFile('{ version: 1, doors: [] }'), [], 'braces of YAML');
});

t.test('everybody else has a turn while a long one is read', async (t) => {
  let turnsCount = 0;
  let isRead = false;
  const reading = readSiteFile(YAML).finally(() => (isRead = true));
  while (!isRead) {
    await setImmediate();
    turnsCount += 1;
  }
  const pieces = await reading;
  t.equal(pieces.flatMap(({ given }) => given).length, PEOPLE);
  // One for each piece that comes would be some forty.
  t.ok(turnsCount > 10 * pieces.length, `${turnsCount} turns`);
  t.ok(Math.max(...pieces.map(({ given }) => given.length)) <= 200);
});

t.test('what takes too much is refused, and ends nobody', async (t) => {
  await refused(t, 'x'.repeat(SITE_FILE_LENGTH_MAX + 1), /the most is/);
  await refused(t, YAML, /more than 0.05 s to read/, { timeMaxMs: 50 });
  await refused(t, YAML, /more than 16 MB to read/, { heapMaxMb: 16 });
  await refused(t, `version: 1\ndoors: ${'['.repeat(100_000)}`, /call stack/);
  await refused(
    t,
    `version: 1\ndoors:\n  - id: &long ${'x'.repeat(9_000)}\n    more: [${'*long, '.repeat(90)}]\n`,
    /doors\[0\] is \d+ characters/,
  );
});

t.test('what is no site file is refused', async (t) => {
  await refused(t, '', /no site file/);
  await refused(t, '[', /./);
  await refused(t, '- 1', /no site file/);
  await refused(t, 'version: 2', /`version: 1`/);
  await refused(t, '{"version":1,"colour":"red"}', /`colour` is no known field/);
  await refused(t, '{"version":1,"__proto__":{}}', /`__proto__` is no known field/);
  await refused(t, 'version: 1\ndoors: {}', /doors is no list/);
});
