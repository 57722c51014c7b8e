import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readMembership } from '@sparc/edge/membership';
import { loadIdentity, verifySignature } from '@sparc/edge/platform';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';
import { sparc } from '../../support/sparc-command.js';

t.setTimeout(120_000);

const MET_MAX_MS = 30_000;
const folder = await mkdtemp(join(tmpdir(), 'sparc-expulsion-'));
const inFolder = (name: string): string => join(folder, name);
const [hallway, cellar, attic, lift, annexe] = [
  await MeshGateway.create(folder, 'hallway'),
  await MeshGateway.create(folder, 'cellar'),
  await MeshGateway.create(folder, 'attic'),
  await MeshGateway.create(folder, 'lift'),
  await MeshGateway.create(folder, 'annexe'),
];
await enrol(folder, 'harbour', [hallway, cellar, attic, lift]);
t.teardown(async () => {
  await Promise.all([hallway, cellar, attic, lift, annexe].map((gateway) => gateway.end('SIGTERM')));
  await rm(folder, { recursive: true });
});

const keyOf = ({ dataDir }: MeshGateway): string => Buffer.from(loadIdentity(dataDir).publicKey).toString('hex');

async function run(...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await sparc([...args, '--dir', inFolder('authority')]);
  if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
}

/** Which of the others a gateway speaks to. */
async function neighboursOf(gateway: MeshGateway): Promise<string[]> {
  const members = (await gateway.mesh())?.members ?? [];
  return members.filter(({ hereSinceUnixMs }) => hereSinceUnixMs !== undefined).map(({ name }) => name);
}

const meets = (gateway: MeshGateway, ...others: readonly MeshGateway[]) =>
  eventually(
    `${gateway.name} speaks to ${others.map(({ name }) => name).join(' and ')} alone`,
    async () =>
      (await neighboursOf(gateway)).sort().join() ===
      others
        .map(({ name }) => name)
        .sort()
        .join(),
    MET_MAX_MS,
  );

t.test('a gateway that is expelled is left alone, whatever it does', async (t) => {
  for (const gateway of [hallway, cellar, attic]) gateway.start();
  await Promise.all([meets(hallway, cellar, attic), meets(cellar, hallway, attic)]);
  await writeFile(inFolder('heads.json'), await hallway.sparc('mesh', 'heads', '--json'));
  await run('roster', 'expel', keyOf(attic), '--heads', inFolder('heads.json'));
  // Before the site hears of the first: another is expelled, and one takes its place.
  await run('roster', 'expel', keyOf(lift));
  await annexe.sparc('gateway', 'request', '--out', inFolder('annexe.request'));
  await run('authority', 'enrol', inFolder('annexe.request'));
  await annexe.sparc('gateway', 'join', inFolder('annexe.admission'));
  annexe.start();
  await meets(annexe, hallway, cellar);
  await meets(hallway, cellar, annexe);
  await attic.end('SIGTERM');
  attic.start();
  await eventually('it runs', async () => (await attic.mesh())?.state === 'running', MET_MAX_MS);
  t.strictSame(await neighboursOf(attic), []);
  const expelled = hallway.journal.flatMap(({ record }) => (record?.name === 'mesh.gateway_expelled' ? [record] : []));
  t.strictSame(
    expelled.map(({ detail }) => detail?.name).sort(),
    ['attic', 'lift'],
    'whoever met annexe has heard of it',
  );
});

t.test('a courier brings the secrets of both expulsions, also to a neighbour that was away then', async (t) => {
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
  t.strictSame(await neighboursOf(attic), []);
  t.equal(secretOf(attic), 1);
});
