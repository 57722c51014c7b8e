import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { MeshView, SiteSnapshot } from '@sparc/edge/api';
import { AGREED_MAX_MS, agreed, authorOf, sameBytes } from '../../support/mesh-agreement.js';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';
import { childrenOf } from '../../support/processes.js';
import { sparc } from '../../support/sparc-command.js';

const SITE = 'harbour';

async function siteOf(t: Test, ...names: string[]): Promise<{ folder: string; gateways: MeshGateway[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-mesh-'));
  const gateways: MeshGateway[] = [];
  t.teardown(async () => {
    await Promise.all(gateways.map((gateway) => gateway.end('SIGTERM')));
    await rm(folder, { recursive: true, force: true });
  });
  for (const name of names) gateways.push(await MeshGateway.create(folder, name));
  return { folder, gateways };
}

/** Something for the journal of a gateway that runs. */
const setThreatLevel = (gateway: MeshGateway, level: number) =>
  gateway.sparc('mode', 'threat-level', String(level), '--by', 'Ada Lovelace');

async function run(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await sparc(args);
  if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Makes a key with which somebody may set the mode, as every gateway knows once it returns; gives the path of it. */
async function operatorOf(folder: string, gateways: readonly MeshGateway[]): Promise<string> {
  const [path, authority, courier] = [join(folder, 'ada.key'), join(folder, 'authority'), join(folder, 'site.courier')];
  const { publicKey } = JSON.parse(await run('operator', 'key', path, '--json')) as { publicKey: string };
  const right = ['--name', 'Ada', '--right', 'mode', '--for', '1d', '--dir', authority];
  await run('authority', 'delegate', publicKey, ...right);
  await run('authority', 'publish', courier, '--dir', authority);
  await gateways[0]?.sparc('ledger', 'import', courier, '--by', 'Ada');
  for (const gateway of gateways) {
    const isKnown = async () => (await gateway.mesh())?.operators?.length === 1;
    await eventually(`${gateway.name} has heard of the operator`, isKnown, AGREED_MAX_MS);
  }
  return path;
}

/** Undefined while its field has not told it. */
const modeAt = async ({ apiUrl }: MeshGateway): Promise<SiteSnapshot['mode'] | undefined> =>
  ((await (await fetch(`${apiUrl}/api/site`)).json()) as Partial<SiteSnapshot>).mode;

const levelAt = async (gateway: MeshGateway): Promise<number> => (await modeAt(gateway))?.threatLevel ?? NaN;

/** What a gateway has on its disk its field hears later: nobody releases what it has not heard of. */
const sameMode = (gateways: readonly MeshGateway[]): Promise<void> => {
  const raisesAt = async (gateway: MeshGateway) => {
    const raises = (await modeAt(gateway))?.raises.map(({ id }) => id);
    return raises?.sort().join() ?? gateway.name;
  };
  const isSame = async () => new Set(await Promise.all(gateways.map(raisesAt))).size === 1;
  return eventually('each has heard of what the others raised', isSame, AGREED_MAX_MS);
};

t.test('gateways enrolled by files hold the same logs, and one that was killed catches up', async (t) => {
  const { folder, gateways } = await siteOf(t, 'hallway', 'gate', 'cellar');
  const [hallway, gate, cellar] = gateways as [MeshGateway, MeshGateway, MeshGateway];
  // It ran before it belonged to a site.
  hallway.start();
  await inState(hallway, 'notJoined');
  await hallway.end('SIGTERM');
  await enrol(folder, SITE, gateways);
  for (const gateway of gateways) gateway.start();
  await agreed(gateways);

  const isPinged = async () =>
    (await hallway.mesh())?.members.every(({ isSelf, roundTripMs }) => isSelf || roundTripMs !== undefined) ?? false;
  await eventually('both neighbours were pinged', isPinged);
  let text = '';
  // What it records now, such as whom it found, is nowhere else for a moment.
  const isHeldByAll = async () => {
    text = await hallway.sparc('mesh', 'status');
    return text.includes('2 neighbours have all of the own ledger');
  };
  await eventually('both neighbours have all', isHeldByAll, AGREED_MAX_MS);
  t.match(text, /Site harbour, roster \d+\./);
  t.match(text, /Each own entry is on another gateway, too\./);
  t.match(text, /gate +[0-9a-f]{64} +for \d+ s +[\d.]+ ms/);
  t.equal((await gate.sparc('mesh', 'heads')).trim().split('\n').length, 3);

  for (const [at, gateway] of gateways.entries()) await setThreatLevel(gateway, at + 1);
  t.comment(`on all ${Math.round(await agreed(gateways))} ms after the last was recorded`);
  await sameMode(gateways);
  t.comment(`memory: ${gateways.map(({ pid }) => memoryOf(pid ?? 0)).join('; ')}`);

  const key = await operatorOf(folder, gateways);
  await cellar.end('SIGKILL');
  // Not all of them answer: one is away.
  const direct = (gateway: MeshGateway, ...what: string[]) =>
    sparc(['site', ...what, '--key', key, '--config', gateway.configPath]);
  await direct(hallway, 'threat', '4');
  await sameMode([hallway, gate]);
  await direct(gate, 'threat', '5');
  await direct(gate, 'release', '--all');
  const isLowered = async () => (await levelAt(hallway)) + (await levelAt(gate)) === 0;
  await eventually('the operator lowered the threat level', isLowered, AGREED_MAX_MS);
  cellar.start();
  t.comment(`caught up ${Math.round(await agreed(gateways))} ms after its start`);
  await eventually('the one that was away lowers it too', async () => (await levelAt(cellar)) === 0, AGREED_MAX_MS);

  await Promise.all(gateways.map((gateway) => gateway.end('SIGTERM')));
  for (const gateway of gateways) {
    const names = gateway.journal.map(({ record }) => record?.name);
    const found = names.filter((name) => name === 'mesh.neighbour_found');
    t.ok(found.length >= 2, `${gateway.name} recorded who it found`);
    t.notOk(names.includes('ledger.forked'), 'nobody forked');
  }
  sameBytes(t, gateways);
});

t.test('a gateway that hangs while its site process answers is not reached, until it goes on', async (t) => {
  const { folder, gateways } = await siteOf(t, 'hallway', 'gate');
  const [hallway, gate] = gateways as [MeshGateway, MeshGateway];
  await enrol(folder, SITE, gateways);
  for (const gateway of gateways) gateway.start();
  await agreed(gateways);
  const gateAt = async () => (await hallway.mesh())?.members.find(({ name }) => name === 'gate');
  await eventually('it is reached', async () => (await gateAt())?.isReached === true, AGREED_MAX_MS);
  gate.signal('SIGSTOP');
  t.teardown(() => gate.signal('SIGCONT'));
  const stoppedMs = performance.now();
  const hangs = async () => {
    const { isReached, hereSinceUnixMs } = (await gateAt()) ?? {};
    return isReached === false && hereSinceUnixMs !== undefined;
  };
  await eventually('it is not reached, and its site process is here', hangs, AGREED_MAX_MS);
  t.comment(`not reached ${Math.round(performance.now() - stoppedMs)} ms after it hung`);
  gate.signal('SIGCONT');
  await eventually('it is reached again', async () => (await gateAt())?.isReached === true, AGREED_MAX_MS);
});

t.test('a disk that was set back is an alarm at each gateway, and nothing of either history is lost', async (t) => {
  const { folder, gateways } = await siteOf(t, 'hallway', 'cellar');
  const [hallway, cellar] = gateways as [MeshGateway, MeshGateway];
  await enrol(folder, SITE, gateways);
  for (const gateway of gateways) gateway.start();
  await agreed(gateways);
  await cellar.end('SIGTERM');
  const backup = join(folder, 'backup');
  await cp(cellar.dataDir, backup, { recursive: true });
  cellar.start();
  await agreed(gateways);
  await setThreatLevel(cellar, 1);
  await agreed(gateways);
  await cellar.end('SIGTERM');
  const lost = lastEpoch(cellar);
  await rm(cellar.dataDir, { recursive: true });
  await cp(backup, cellar.dataDir, { recursive: true });
  cellar.start();

  const author = authorOf(cellar);
  for (const gateway of gateways) {
    t.match(await forkAlarm(gateway), { author, kind: 'twoLives' }, `${gateway.name} recorded it`);
  }
  t.match(await hallway.sparc('mesh', 'status'), 'FORK: cellar signed two histories (twoLives).');
  const held = (await hallway.mesh())?.logs.find((log) => log.author === author);
  t.equal(held?.heads.length, 2, 'both ends are kept');
  await eventually('it goes on above what it lost', async () => lastEpoch(cellar) > lost, AGREED_MAX_MS);
});

const lastEpoch = ({ journal }: MeshGateway): number => journal.at(-1)?.id.epoch ?? 0;

/** What the alarm of a fork says, when it is in the journal. */
async function forkAlarm(gateway: MeshGateway) {
  const alarm = () => gateway.journal.find(({ record }) => record?.name === 'ledger.forked');
  await eventually(`${gateway.name} tells of a fork`, () => alarm() !== undefined, AGREED_MAX_MS);
  return alarm()?.record?.detail;
}

const inState = (gateway: MeshGateway, state: MeshView['state']): Promise<void> =>
  eventually(`it is ${state}`, async () => (await gateway.mesh())?.state === state, AGREED_MAX_MS);

/** Resident memory of a gateway and of its site process. */
function memoryOf(pid: number): string {
  const mb = (id: number) =>
    Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]) / 1_024);
  return [pid, ...childrenOf(pid)].map((id) => `${mb(id)} MB`).join(' + ');
}
