import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Database, tryLock } from '@sparc/edge/platform';
import t, { type Test } from 'tap';
import { ERRORS } from '@sparc/protocol/errors';
import { EXIT_CODES } from '@sparc/edge/cli';
import { JOURNAL_FILE } from '@sparc/edge/ledger';
import { emptyJournal, writeJournal } from '../../support/journal.js';
import { SITE_FILE } from '../../support/site-file.js';
import { sparc, spawnSparc } from '../../support/sparc-command.js';

/** A folder with a gateway's configuration, which commands take by the environment, and a right site file. */
function folder(t: Test) {
  const cwd = t.testdir({
    'gateway.yaml': 'gateway: { name: closet }\ndataDir: ./data\nbuses: []\n',
    'site.yaml': SITE_FILE,
  });
  process.env['SPARC_CONFIG'] = join(cwd, 'gateway.yaml');
  return { cwd, siteFile: join(cwd, 'site.yaml'), dataDir: join(cwd, 'data') };
}

t.test('the real command takes ./gateway.yaml, applies a site file and shows it', async (t) => {
  const { cwd } = folder(t);
  const applied = await spawnSparc(cwd, ['policy', 'apply', 'site.yaml']);
  t.equal(applied.exitCode, 0, applied.stderr);
  const shown = await spawnSparc(cwd, ['policy', 'show', '--json']);
  t.equal(shown.exitCode, 0, shown.stderr);
  t.equal(JSON.parse(shown.stdout).manifest.siteId, 'harbour');
});

t.test('a second gateway on one data directory is refused, with the code that says so', async (t) => {
  const { cwd, dataDir } = folder(t);
  mkdirSync(dataDir);
  const first = tryLock(join(dataDir, 'gateway.lock'));
  t.teardown(() => first?.release());
  const { exitCode, stderr } = await spawnSparc(cwd, ['gateway', 'run', '--json']);
  t.equal(exitCode, 3);
  t.equal(JSON.parse(stderr).code, 'ERR_GATEWAY_DATA_IN_USE');
});

t.test('the real command ends with its exit code, its error on stderr and no stack trace', async (t) => {
  const { cwd } = folder(t);
  writeFileSync(join(cwd, 'wrong.yaml'), 'gateway: {}\nbusses: []\n');
  const { exitCode, stdout, stderr } = await spawnSparc(cwd, ['gateway', 'run', '--config', 'wrong.yaml']);
  t.equal(exitCode, 2);
  t.equal(stdout, '');
  t.match(stderr, /wrong\.yaml:2:1: busses: is no known field/);
  t.notMatch(stderr, /^\s+at /m);
});

t.test('help names every command, environment variable and exit code', async (t) => {
  const { exitCode, stdout } = await sparc(['--help']);
  t.equal(exitCode, 0);
  for (const word of ['gateway', 'policy', 'ledger', 'simulate', 'SPARC_CONFIG', 'Examples:']) t.match(stdout, word);
  for (const [code, meaning] of EXIT_CODES) t.match(stdout, `${code}  ${meaning}`);
});

t.test('every command that the help shows is found by its name', async (t) => {
  const { stdout } = await sparc(['--help']);
  const [, list = ''] = stdout.split('Commands:');
  const names = [...list.split('Environment:')[0]!.matchAll(/^ {2}([a-z-]+) /gm)].flatMap(([, name]) => name ?? []);
  t.ok(names.length > 15, `${names.length} commands`);
  // The simulator, which is asked for its own help, is another program.
  for (const name of names.filter((each) => each !== 'help' && each !== 'simulate')) {
    t.match((await sparc([name, '--help'])).stdout, `Usage: sparc ${name} `);
  }
});

t.test('every command has help with an example', async (t) => {
  for (const name of [
    'gateway run',
    'policy apply',
    'policy show',
    'ledger verify',
    'ledger export',
    'mesh status',
    'mesh peers',
    'mesh heads',
    'decision explain',
    'decision replay',
    'decision try',
  ]) {
    const { exitCode, stdout } = await sparc([...name.split(' '), '--help']);
    t.equal(exitCode, 0);
    t.match(stdout, `$ sparc ${name}`);
    t.match(stdout, '--json');
  }
});

t.test('a wrong command line ends with 2, a stable code and a suggestion', async (t) => {
  const unknown = await sparc(['polcy', 'show']);
  t.equal(unknown.exitCode, 2);
  t.match(unknown.stderr, 'ERR_CLI_USAGE');
  t.match(unknown.stderr, 'Did you mean policy?');
  t.equal(unknown.stdout, '');
  for (const args of [
    [],
    ['policy'],
    ['policy', 'apply'],
    ['policy', 'show', '--frobnicate'],
    ['policy', 'show', 'x'],
  ]) {
    const { exitCode, stderr } = await sparc(args);
    t.equal(exitCode, 2, args.join(' '));
    t.match(stderr, 'ERR_CLI_USAGE');
  }
});

t.test('a site file is applied and shown', async (t) => {
  const { siteFile, dataDir } = folder(t);
  const before = await sparc(['policy', 'show']);
  t.equal(before.exitCode, 3);
  t.match(before.stderr, 'ERR_POLICY_NONE');
  t.notOk(existsSync(dataDir), 'looking leaves nothing behind');

  const applied = await sparc(['policy', 'apply', siteFile, '--json']);
  t.equal(applied.exitCode, 0, applied.stderr);
  const { revision, siteId } = JSON.parse(applied.stdout);
  t.equal(siteId, 'harbour');

  const summary = await sparc(['policy', 'show']);
  t.equal(summary.exitCode, 0);
  t.match(summary.stdout, 'Harbour Street (harbour, Europe/Berlin)');
  t.match(summary.stdout, revision);
  t.match(summary.stdout, /doors +2/);

  const doors = await sparc(['policy', 'show', 'doors', '--json']);
  t.strictSame(
    JSON.parse(doors.stdout).map(({ id }: { id: string }) => id),
    ['front', 'lab'],
  );
  t.match((await sparc(['policy', 'show', 'doors'])).stdout, 'name: Front door');
});

t.test('every error of a site file is named at once with file and line, and nothing is in force', async (t) => {
  const { siteFile } = folder(t);
  const text = SITE_FILE.replace('output: front-strike', 'output: front-strik').replace(
    'device: lab-io, number: 1',
    'device: nowhere',
  );
  writeFileSync(siteFile, text);
  const human = await sparc(['policy', 'apply', siteFile]);
  t.equal(human.exitCode, 2);
  t.match(human.stderr, 'ERR_POLICY_INVALID');
  t.match(human.stderr, /site\.yaml:\d+:\d+: doors\[0\]\.lock\.output/);
  t.match(human.stderr, /site\.yaml:\d+:\d+: readers\[2\]\.device/);
  t.match(human.stderr, `What to do: ${ERRORS.ERR_POLICY_INVALID.action}`);

  const machine = await sparc(['policy', 'apply', siteFile, '--json']);
  t.equal(machine.stdout, '');
  const { code, message, action, details } = JSON.parse(machine.stderr);
  t.equal(code, 'ERR_POLICY_INVALID');
  t.match(message, 'site.yaml');
  t.equal(action, ERRORS.ERR_POLICY_INVALID.action);
  t.ok(details.problems.length >= 2);
  t.equal((await sparc(['policy', 'show'])).exitCode, 3);
});

t.test('a missing configuration is bad input, an exposed secret a refusal of the machine', async (t) => {
  const { cwd, siteFile, dataDir } = folder(t);
  const missing = await sparc(['policy', 'show', '--config', join(cwd, 'nowhere.yaml')]);
  t.equal(missing.exitCode, 2);
  t.match(missing.stderr, 'ERR_CONFIG_UNREADABLE');
  mkdirSync(join(dataDir, 'secrets'), { recursive: true });
  writeFileSync(join(dataDir, 'secrets', 'gateway.key'), 'x', { mode: 0o644 });
  const exposed = await sparc(['policy', 'apply', siteFile]);
  t.equal(exposed.exitCode, 3);
  t.match(exposed.stderr, 'ERR_CONFIG_SECRET_EXPOSED');
});

t.test('a journal is verified, and one flipped bit fails the check', async (t) => {
  const { dataDir } = folder(t);
  const absent = await sparc(['ledger', 'verify']);
  t.equal(absent.exitCode, 3);
  t.match(absent.stderr, 'ERR_LEDGER_ABSENT');
  await writeJournal(dataDir, 20);
  const whole = await sparc(['ledger', 'verify']);
  t.equal(whole.exitCode, 0, whole.stderr);
  t.match(whole.stdout, /journal\.db is whole: \d+ entries in 1 epoch, signed by /);

  const { provenTo } = JSON.parse((await sparc(['ledger', 'verify', '--json'])).stdout);
  const copy = join(dataDir, JOURNAL_FILE);
  t.equal((await sparc(['ledger', 'verify', copy, '--expect-head', JSON.stringify(provenTo)])).exitCode, 0);
  t.equal((await sparc(['ledger', 'verify', copy, '--author', '00'.repeat(32)])).exitCode, 1);
  for (const args of [
    ['--author', 'xyz'],
    ['--expect-head', '{}'],
  ]) {
    t.equal((await sparc(['ledger', 'verify', ...args])).exitCode, 2);
  }

  const database = new Database(copy);
  const content = database.prepare<[], Buffer>('SELECT content FROM entry WHERE sequence = 7').pluck().get();
  content?.writeUInt8((content.at(-1) ?? 0) ^ 1, content.length - 1);
  database.prepare('UPDATE entry SET content = ? WHERE sequence = 7').run(content);
  database.close();
  const damaged = await sparc(['ledger', 'verify', '--json']);
  t.equal(damaged.exitCode, 1);
  t.equal(JSON.parse(damaged.stdout).ok, false);
  const told = await sparc(['ledger', 'verify']);
  t.match(told.stdout, /NOT whole: ERR_LEDGER_/);
  t.match(told.stdout, 'What to do:');
});

t.test('a journal is exported to stdout as lines, and to a private file as signed batches', async (t) => {
  const { cwd, dataDir } = folder(t);
  await writeJournal(dataDir, 20);
  const lines = await sparc(['ledger', 'export']);
  t.equal(lines.exitCode, 0, lines.stderr);
  t.equal(lines.stdout.match(/"door\.opened"/g)?.length, 20);

  const file = join(cwd, 'log.sparc');
  const exported = await sparc(['ledger', 'export', file, '--format', 'batches', '--json']);
  t.equal(exported.exitCode, 0, exported.stderr);
  const { provenTo } = JSON.parse((await sparc(['ledger', 'verify', '--json'])).stdout);
  t.strictSame(JSON.parse(exported.stdout).head, provenTo);
  t.equal(statSync(file).mode & 0o777, 0o600);

  const nowhere = await sparc(['ledger', 'export', join(cwd, 'no', 'such', 'file')]);
  t.equal(nowhere.exitCode, 3);
  t.match(nowhere.stderr, 'ERR_CLI_WRITE_FAILED');
});

t.test('a journal that was emptied is whole, and says what is no longer here', async (t) => {
  const { dataDir } = folder(t);
  await writeJournal(dataDir, 2);
  await writeJournal(dataDir, 1);
  emptyJournal(dataDir, { epoch: 1, sequence: 3 });
  const verified = await sparc(['ledger', 'verify']);
  t.equal(verified.exitCode, 0, verified.stderr);
  t.match(verified.stdout, 'whole: 5 entries in 2 epochs');
  t.match(verified.stdout, 'Of 2 entries only the digest is here: the cloud has the rest.');
  t.match(JSON.parse((await sparc(['ledger', 'verify', '--json'])).stdout), { ok: true, emptiedCount: 2 });
  const lines = (await sparc(['ledger', 'export'])).stdout.trim().split('\n').slice(0, 5);
  const entries = lines.map((line) => JSON.parse(line) as { readonly name?: string; readonly emptied?: string });
  t.same(
    entries.map(({ name }) => name),
    [undefined, undefined, undefined, undefined, 'door.opened'],
  );
  t.same(
    entries.map(({ emptied }) => emptied?.length),
    [undefined, 64, 64, undefined, undefined],
  );
});
