import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sparc } from '../../support/sparc-command.js';

function scene(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-courier-cli-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const gateway = (name: string, more: object) => {
    mkdirSync(join(folder, name));
    const config = join(folder, name, 'gateway.json');
    writeFileSync(config, JSON.stringify({ gateway: { name }, dataDir: './data', buses: [], ...more }));
    return config;
  };
  const file = (name: string) => join(folder, name);
  const enrolled = async (name: string, more: object = { mesh: { listen: '127.0.0.1:7400' } }) => {
    const config = gateway(name, more);
    await done('gateway', 'request', '--out', file(`${name}.request`), '--config', config);
    await done('authority', 'enrol', file(`${name}.request`), '--dir', file('authority'));
    await done('gateway', 'join', file(`${name}.admission`), '--config', config);
    return config;
  };
  return { file, gateway, enrolled, init: () => done('authority', 'init', file('authority'), '--site', 'harbour') };
}

async function done(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await sparc(args);
  if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function refusal(...args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await sparc([...args, '--json']);
  return exitCode === 0 ? 'done' : (JSON.parse(stderr) as { code: string }).code;
}

t.test('what makes no courier is said before anything is written', async (t) => {
  const { file, gateway, enrolled, init } = scene(t);
  await init();
  const stranger = gateway('stranger', {});
  const hall = await enrolled('hall');
  const heads = file('heads');
  writeFileSync(heads, '[{"site":"harbour"}]');
  const exporting = (config: string, ...more: string[]) => refusal('ledger', 'export', ...more, '--config', config);
  t.equal(await exporting(stranger, file('stick'), '--format', 'courier'), 'ERR_MESH_NOT_A_MEMBER');
  t.equal(await exporting(hall, '--format', 'courier'), 'ERR_CLI_USAGE', 'not to stdout');
  t.equal(await exporting(hall, file('stick'), '--for', heads), 'ERR_CLI_USAGE', '--for is of couriers');
  t.equal(await exporting(hall, file('stick'), '--format', 'courier', '--for', heads), 'ERR_CLI_USAGE', 'no heads');
  const absent = file('absent');
  t.equal(await exporting(hall, file('stick'), '--format', 'courier', '--for', absent), 'ERR_CLI_READ_FAILED');
  const nowhere = join(file('no-folder'), 'stick');
  t.equal(await exporting(hall, nowhere, '--format', 'courier'), 'ERR_CLI_WRITE_FAILED');
  const importing = (config: string, path: string) => refusal('ledger', 'import', path, '--config', config);
  t.equal(await importing(stranger, file('stick')), 'ERR_MESH_NOT_A_MEMBER');
  t.equal(await importing(hall, file('stick')), 'ERR_CLI_READ_FAILED');
  writeFileSync(file('stick'), 'no courier');
  t.equal(await importing(hall, file('stick')), 'ERR_COURIER_DAMAGED');
});

t.test('a gateway that was expelled brings nothing any more', async (t) => {
  const { file, enrolled, init } = scene(t);
  await init();
  const [hall, cellar] = [await enrolled('hall'), await enrolled('cellar')];
  await done('ledger', 'export', file('stick'), '--format', 'courier', '--config', cellar);
  const { members } = JSON.parse(await done('roster', 'show', '--json', '--config', cellar)) as {
    members: { name: string; key: string }[];
  };
  const key = members.find(({ name }) => name === 'cellar')?.key ?? '';
  await done('roster', 'expel', key, '--dir', file('authority'));
  await done('gateway', 'request', '--out', file('hall.request'), '--config', hall);
  await done('authority', 'enrol', file('hall.request'), '--dir', file('authority'));
  await done('gateway', 'join', file('hall.admission'), '--config', hall);
  t.equal(await refusal('ledger', 'import', file('stick'), '--config', hall), 'ERR_COURIER_MAKER_UNKNOWN');
});
