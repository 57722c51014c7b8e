import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { directiveText, isCarriedOut, type GivenDirective } from '@sparc/edge/cli';
import { sparc } from '../../support/sparc-command.js';

const ID = 'ab'.repeat(16);

const answer = (name: string, state: 'applied' | 'refused' | 'ended' | 'unheard', isReached = true, code?: string) => ({
  gateway: 'cd'.repeat(32),
  name,
  isReached,
  state,
  ...(state !== 'unheard' && { atUnixMs: 1_000 }),
  ...(code !== undefined && { code }),
});

const given = (kind: GivenDirective['kind'], answers: GivenDirective['answers']): GivenDirective => ({
  id: ID,
  kind,
  receipt: { id: ID, outcome: 'applied' },
  answers,
});

t.test('whoever directs is told of every gateway what became of it', async (t) => {
  const answers = [
    answer('hallway', 'applied'),
    answer('cellar', 'refused', true, 'ERR_DIRECTIVE_EXPIRED'),
    answer('attic', 'unheard'),
    answer('annexe', 'unheard', false),
  ];
  t.strictSame(directiveText(given('raise', answers), 'Lockdown.').split('\n'), [
    `Lockdown. Directive ${ID}.`,
    '',
    'gateway  answer       at                        why',
    'hallway  applied      1970-01-01T00:00:01.000Z',
    'cellar   REFUSED      1970-01-01T00:00:01.000Z  ERR_DIRECTIVE_EXPIRED',
    'attic    NO ANSWER',
    'annexe   NOT REACHED',
    '',
    '1 of 4 gateways carried it out. 2 will hear of it once they are reached.',
  ]);
  t.match(directiveText(given('door', []), 'Door gate.'), /NOBODY has answered/);
  t.match(directiveText(given('door', [answer('hallway', 'applied')]), 'Door gate.'), /has answered\.$/);
});

t.test('of what nothing is known it is not said that it was carried out', async (t) => {
  const unknown = given('raise', []);
  t.match(directiveText(unknown, 'Lockdown.'), /NOT KNOWN/);
  t.notMatch(directiveText(unknown, 'Lockdown.'), /0 of 0/);
  t.notOk(isCarriedOut(unknown));
  t.notOk(isCarriedOut(given('door', [])));
  t.notOk(isCarriedOut(given('raise', [answer('hallway', 'applied'), answer('cellar', 'ended')])), 'nor of what ended');
  t.ok(isCarriedOut(given('raise', [answer('hallway', 'applied'), answer('annexe', 'unheard', false)])));
});

t.test('the key of an operator can be read by its owner alone, and none is written over', async (t) => {
  const file = join(t.testdir(), 'ada.key');
  const { exitCode, stdout } = await sparc(['operator', 'key', file]);
  t.equal(exitCode, 0);
  t.match(stdout, /^[0-9a-f]{64}\n/);
  t.match(stdout, new RegExp(`authority delegate ${stdout.slice(0, 64)}`));
  t.equal(statSync(file).mode & 0o777, 0o600);
  const before = readFileSync(file, 'utf8');
  t.notOk(stdout.includes(before.split('\n')[1] ?? ''), 'the private half is told to nobody');
  const again = await sparc(['operator', 'key', file]);
  t.equal(again.exitCode, 3);
  t.match(again.stderr, /ERR_CLI_WRITE_FAILED/);
  t.equal(readFileSync(file, 'utf8'), before);
});

t.test('what cannot be directed is refused before anything is signed', async (t) => {
  const folder = t.testdir();
  const config = join(folder, 'gateway.json');
  writeFileSync(config, JSON.stringify({ gateway: { name: 'hallway' }, dataDir: './data', buses: [] }));
  const codeOf = async (...args: readonly string[]) =>
    /ERR_[A-Z_]+/.exec((await sparc([...args, '--config', config])).stderr)?.[0];
  const key = ['--key', join(folder, 'ada.key')];
  const visitor = ['visitor', 'add', '--id', 'guest', '--name', 'Grace', '--profile', 'guests', '--for', '1h', ...key];
  t.equal(await codeOf('site', 'lockdown'), 'ERR_CLI_USAGE', 'without a key');
  t.equal(await codeOf('site', 'release', ...key), 'ERR_CLI_USAGE', 'nothing named');
  t.equal(await codeOf('site', 'release', '--all', '--raise', ID, ...key), 'ERR_CLI_USAGE', 'all, and one');
  t.equal(await codeOf('site', 'threat', '6', ...key), 'ERR_CLI_USAGE');
  for (const card of ['4711', 'h10301:x:1', 'raw:56', 'raw:56:zz', 'h10301:1:2:3']) {
    t.equal(await codeOf(...visitor, '--card', card), 'ERR_CLI_USAGE', card);
  }
  t.equal(await codeOf(...visitor, '--card', 'h10301:256:1'), 'ERR_CARD_FIELD_RANGE');
  t.equal(await codeOf(...visitor, '--card', 'h99999:1:1'), 'ERR_CARD_FORMAT_UNKNOWN');
  t.equal(await codeOf(...visitor, '--card', 'raw:8:ff', '--from', 'noon'), 'ERR_CLI_USAGE');
  t.equal(await codeOf(...visitor, '--card', 'raw:8:ff'), 'ERR_CLI_GATEWAY_UNREACHABLE', 'no gateway runs');
  t.equal(await codeOf('area', 'forgive', 'ada'), 'ERR_CLI_USAGE', 'by nobody');
  t.equal(await codeOf('area', 'forgive', 'ada', '--by', 'Ada', ...key), 'ERR_CLI_USAGE', 'by two');
  t.equal(await codeOf('roster', 'expel', 'cd'.repeat(32)), 'ERR_CLI_USAGE', 'by nobody');
  t.equal(await codeOf('roster', 'expel', 'cd'.repeat(32), '--dir', folder, ...key), 'ERR_CLI_USAGE', 'by two');
});
