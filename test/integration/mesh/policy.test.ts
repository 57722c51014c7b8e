import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { SiteSnapshot } from '@sparc/edge/api';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';
import { SITE_FILE } from '../../support/site-file.js';
import { sparc } from '../../support/sparc-command.js';

const TAKEN_MAX_MS = 60_000;
const folder = await mkdtemp(join(tmpdir(), 'sparc-mesh-policy-'));
const [site, courier, authority] = ['site.yaml', 'site.courier', 'authority'].map((name) => join(folder, name));
const gateways: MeshGateway[] = [];
for (const name of ['hallway', 'cellar', 'attic']) gateways.push(await MeshGateway.create(folder, name));
const [hallway, cellar, attic] = gateways as [MeshGateway, MeshGateway, MeshGateway];
await enrol(folder, 'harbour', gateways);
t.teardown(async () => {
  await Promise.all(gateways.map((gateway) => gateway.end('SIGTERM')));
  await rm(folder, { recursive: true });
});

async function run(...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await sparc(args);
  if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
}

/** The authority signs what the site file says, and one gateway is given it by hand. */
async function publish(text: string, at: MeshGateway): Promise<void> {
  await writeFile(site ?? '', text);
  await run('authority', 'policy', 'sign', site ?? '', '--dir', authority ?? '');
  await carry(at);
}

async function carry(at: MeshGateway): Promise<void> {
  await run('authority', 'publish', courier ?? '', '--dir', authority ?? '');
  await at.sparc('ledger', 'import', courier ?? '', '--by', 'Ada');
}

const inForce = async (gateway: MeshGateway) => (await gateway.mesh())?.policy?.inForce?.number;
const taken = (gateway: MeshGateway, number: number) =>
  eventually(`${gateway.name} has policy ${number}`, async () => (await inForce(gateway)) === number, TAKEN_MAX_MS);
const policyOf = async ({ apiUrl }: MeshGateway) =>
  ((await (await fetch(`${apiUrl}/api/site`)).json()) as SiteSnapshot).policy;

t.test('a policy that the authority signed counts on every gateway that runs, under one name', async (t) => {
  hallway.start();
  cellar.start();
  await eventually(
    'they run',
    async () => (await hallway.mesh())?.members.some(({ hereSinceUnixMs }) => hereSinceUnixMs) === true,
    TAKEN_MAX_MS,
  );
  await publish(SITE_FILE, hallway);
  await Promise.all([taken(hallway, 1), taken(cellar, 1)]);
  const [first, second] = [await policyOf(hallway), await policyOf(cellar)];
  t.match(first?.revision, /^1-[0-9a-f]{16}$/);
  t.equal(second?.revision, first?.revision);
  t.match((await cellar.mesh())?.policy, { newest: { number: 1 }, partsMissingCount: 0, rejected: undefined });
});

t.test('a gateway that was away takes the newest from a neighbour, whatever it missed', async () => {
  await publish(SITE_FILE.replace('name: Front door', 'name: Gate'), cellar);
  await publish(SITE_FILE.replace('name: Front door', 'name: Portal'), cellar);
  await Promise.all([taken(hallway, 3), taken(cellar, 3)]);
  attic.start();
  await taken(attic, 3);
});

t.test('a beacon that reaches one gateway keeps the policy fresh on all of them', async (t) => {
  const all = [hallway, cellar, attic];
  const confirmedAt = async (gateway: MeshGateway) => (await policyOf(gateway))?.confirmedAtUnixMs ?? 0;
  const before = Math.max(...(await Promise.all(all.map(confirmedAt))));
  await run('authority', 'beacon', '--dir', authority ?? '');
  await carry(attic);
  const isFresher = async (gateway: MeshGateway) => (await confirmedAt(gateway)) - before > 1_000;
  for (const gateway of all) await eventually(`${gateway.name} knows`, () => isFresher(gateway), TAKEN_MAX_MS);
  t.ok((await Promise.all(all.map(isFresher))).every(Boolean));
});

t.test('a site file is not applied on one gateway of such a site', async (t) => {
  const { exitCode, stderr } = await sparc(['policy', 'apply', site ?? '', '--config', attic.configPath]);
  t.not(exitCode, 0);
  t.match(stderr, /ERR_POLICY_OF_SITE/);
  t.equal(await inForce(attic), 3);
});
