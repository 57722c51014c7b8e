import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { readMembership } from '@sparc/edge/membership';
import { loadIdentity, verifySignature } from '@sparc/edge/platform';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';
import { sparc } from '../../support/sparc-command.js';

const MET_MAX_MS = 60_000;
const LOOK_MS = 100;
const STARTS_MAX = 5;
const folder = await mkdtemp(join(tmpdir(), 'sparc-expulsion-'));
const inFolder = (name: string): string => join(folder, name);
const [hallway, cellar, attic, annexe] = [
  await MeshGateway.create(folder, 'hallway'),
  await MeshGateway.create(folder, 'cellar'),
  await MeshGateway.create(folder, 'attic'),
  await MeshGateway.create(folder, 'annexe'),
];
await enrol(folder, 'harbour', [hallway, cellar, attic]);
t.teardown(async () => {
  await Promise.all([hallway, cellar, attic, annexe].map((gateway) => gateway.end('SIGTERM')));
  await rm(folder, { recursive: true });
});

const keyOf = ({ dataDir }: MeshGateway): string => Buffer.from(loadIdentity(dataDir).publicKey).toString('hex');

async function run(...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await sparc([...args, '--dir', inFolder('authority')]);
  if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
}

const headsOf = (gateway: MeshGateway): Promise<string> => gateway.sparc('mesh', 'heads', '--json');

/** Which of the others a gateway speaks to. */
async function neighboursOf(gateway: MeshGateway): Promise<string[]> {
  // Asking takes time from those that should meet.
  await sleep(LOOK_MS);
  const members = (await gateway.mesh())?.members ?? [];
  return members.flatMap(({ name, hereSinceUnixMs }) => (hereSinceUnixMs === undefined ? [] : [name])).sort();
}

const meets = (gateway: MeshGateway, ...others: readonly MeshGateway[]) => {
  const names = others.map(({ name }) => name).sort();
  const what = `${gateway.name} speaks to ${names.join(' and ') || 'nobody'} and no other`;
  return eventually(what, async () => (await neighboursOf(gateway)).join() === names.join(), MET_MAX_MS);
};

t.test('a gateway that is expelled is left alone, whatever it does', async (t) => {
  for (const gateway of [hallway, cellar, attic]) gateway.start();
  await Promise.all([meets(hallway, cellar, attic), meets(cellar, hallway, attic)]);
  await eventually(
    'hallway holds something of attic',
    async () => (await headsOf(hallway)).includes(keyOf(attic)),
    MET_MAX_MS,
  );
  await writeFile(inFolder('heads.json'), await headsOf(hallway));
  await run('roster', 'expel', keyOf(attic), '--heads', inFolder('heads.json'));
  // Before the site hears of it, the secret is changed once more, and another gateway takes its place.
  await run('authority', 'rotate');
  await annexe.sparc('gateway', 'request', '--out', inFolder('annexe.request'));
  await run('authority', 'enrol', inFolder('annexe.request'));
  annexe.start();
  await sparc(['operator', 'key', inFolder('ada.key')]);
  const directs = () =>
    annexe.sparc('site', 'lockdown', '--key', inFolder('ada.key')).catch(({ message }: Error) => message);
  await eventually(
    'annexe runs, of no site',
    async () => (await directs()).includes('ERR_MESH_NOT_A_MEMBER'),
    MET_MAX_MS,
  );
  await annexe.sparc('gateway', 'join', inFolder('annexe.admission'));
  await meets(annexe, hallway, cellar);
  await eventually(
    'annexe judges what it is given',
    async () => (await directs()).includes('ERR_DIRECTIVE_OPERATOR_UNKNOWN'),
    MET_MAX_MS,
  );
  await meets(hallway, cellar, annexe);
  await meets(attic);
  const expelled = () =>
    hallway.journal.flatMap(({ record }) => (record?.name === 'mesh.gateway_expelled' ? [record.detail?.name] : []));
  await eventually('whoever met annexe has heard of it', () => Promise.resolve(expelled().length > 0), MET_MAX_MS);
  t.strictSame(expelled(), ['attic']);
});

t.test('a courier brings the secrets of both rotations, also to a neighbour that was away then', async (t) => {
  await Promise.all([annexe.end('SIGTERM'), cellar.end('SIGTERM')]);
  const courier = inFolder('site.courier');
  await run('authority', 'publish', courier);
  await hallway.sparc('ledger', 'import', courier, '--by', 'Ada');
  const secretOf = ({ dataDir }: MeshGateway) => readMembership(dataDir, verifySignature)?.secrets.present.number;
  await eventually('it came to hallway', () => secretOf(hallway) === 3, MET_MAX_MS);
  t.equal(secretOf(cellar), 1);
  cellar.start();
  await meets(hallway, cellar);
  await eventually('and from there to cellar', () => secretOf(cellar) === 3, MET_MAX_MS);
  t.strictSame(await neighboursOf(attic), [], 'it called all the time');
  t.equal(secretOf(attic), 1);
});

t.test('a gateway that is stopped while it starts anew as a member ends, and does not start once more', async (t) => {
  // A signal that comes when it has started anew ends that start, and shows nothing.
  for (let count = 1; ; count += 1) {
    const porch = await MeshGateway.create(folder, `porch-${count}`);
    t.teardown(() => porch.end('SIGKILL'));
    await porch.sparc('gateway', 'request', '--out', inFolder(`${porch.name}.request`));
    await run('authority', 'enrol', inFolder(`${porch.name}.request`));
    const runs = () => porch.output.split('"gateway running"').length - 1;
    porch.start();
    await eventually('it runs', () => runs() === 1, MET_MAX_MS);
    const stopped = porch.says('starting anew').then(() => porch.end('SIGTERM'));
    await porch.sparc('gateway', 'join', inFolder(`${porch.name}.admission`));
    await stopped;
    if (runs() > 1 && count < STARTS_MAX) continue;
    t.equal(runs(), 1);
    t.match(porch.output, /"stopped"/);
    return;
  }
});
