import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sparc } from '../../support/sparc-command.js';

const DESCRIPTION = `name: Wall readers
version: "1.2.0"
content: firmware
target: { vendor: "0a0b0c", models: [1] }
firmwareAfter: "1.2.0"
`;

/** A folder with a signing key and a gateway that trusts it. */
async function folder(t: Test) {
  const cwd = t.testdir({ 'wall.yaml': DESCRIPTION, 'wall.bin': 'firmware', 'empty.bin': '' });
  const key = join(cwd, 'signer.pem');
  const made = await sparc(['bundle', 'key', key, '--json']);
  t.equal(made.exitCode, 0, made.stderr);
  const { publicKey } = JSON.parse(made.stdout) as { publicKey: string };
  const config = join(cwd, 'gateway.yaml');
  const trusting = (signer: string) =>
    writeFileSync(
      config,
      `gateway: { name: g }\ndataDir: ./data\nbuses: []\nreaderBundles: { signers: ["${signer}"] }\n`,
    );
  trusting(publicKey);
  const out = join(cwd, 'wall.bundle');
  const create = (...more: string[]) =>
    sparc(['bundle', 'create', join(cwd, 'wall.yaml'), '--key', key, '--out', out, '--json', ...more]);
  return { cwd, key, config, out, create, trusting };
}

t.test('a bundle is signed, imported and listed', async (t) => {
  const { cwd, key, config, out, create } = await folder(t);
  t.equal(statSync(key).mode & 0o777, 0o600);
  t.equal((await create('--payload', join(cwd, 'wall.bin'))).exitCode, 0);
  const imported = await sparc(['bundle', 'import', out, '--config', config, '--json']);
  t.equal(imported.exitCode, 0, imported.stderr);
  const { id, name } = JSON.parse(imported.stdout) as { id: string; name: string };
  t.equal(name, 'Wall readers');
  const listed = await sparc(['bundle', 'list', '--config', config]);
  t.match(listed.stdout, new RegExp(`^${id}  Wall readers 1\\.2\\.0, firmware for 0a0b0c model 1, 8 bytes`));
});

t.test('a gateway does not take a bundle of somebody else', async (t) => {
  const { cwd, config, out, create, trusting } = await folder(t);
  await create('--payload', join(cwd, 'wall.bin'));
  trusting('00'.repeat(32));
  const { exitCode, stderr } = await sparc(['bundle', 'import', out, '--config', config, '--json']);
  t.equal(exitCode, 3);
  t.equal((JSON.parse(stderr) as { code: string }).code, 'ERR_BUNDLE_NOT_AUTHENTIC');
});

t.test('nothing is overwritten, and no key is made twice', async (t) => {
  const { cwd, key, out, create } = await folder(t);
  await create('--payload', join(cwd, 'wall.bin'));
  const before = readFileSync(out);
  t.match((await create('--payload', join(cwd, 'wall.bin'))).stderr, /ERR_CLI_WRITE_FAILED/);
  t.strictSame(readFileSync(out), before);
  t.match((await sparc(['bundle', 'key', key])).stderr, /ERR_CLI_WRITE_FAILED/);
});

t.test('a wrong description is refused at its line, an empty or missing payload by name', async (t) => {
  const { cwd, create } = await folder(t);
  t.match((await create('--payload', join(cwd, 'empty.bin'))).stderr, /ERR_BUNDLE_UNREADABLE[^]*it is empty/);
  t.match((await create('--payload', join(cwd, 'missing.bin'))).stderr, /ERR_BUNDLE_UNREADABLE/);
  writeFileSync(join(cwd, 'wall.yaml'), DESCRIPTION.replace('"1.2.0"\ncontent', '"1.2.0"\nkontent'));
  const { exitCode, stderr } = await create('--payload', join(cwd, 'wall.bin'));
  t.equal(exitCode, 2);
  t.match(stderr, /ERR_BUNDLE_INVALID/);
});
