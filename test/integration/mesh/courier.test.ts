import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { MeshView } from '@sparc/edge/api';
import { InboxFolder } from '@sparc/edge/courier';
import { loadIdentity } from '@sparc/edge/platform';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';
import { SITE_FILE } from '../../support/site-file.js';
import { sparc } from '../../support/sparc-command.js';

const folder = await mkdtemp(join(tmpdir(), 'sparc-courier-'));
const [hallway, cellar] = [await MeshGateway.create(folder, 'hallway'), await MeshGateway.create(folder, 'cellar')];
await enrol(folder, 'harbour', [hallway, cellar]);
t.teardown(async () => {
  await Promise.all([hallway, cellar].map((gateway) => gateway.end('SIGTERM')));
  await rm(folder, { recursive: true });
});

const keyOf = ({ dataDir }: MeshGateway): string => Buffer.from(loadIdentity(dataDir).publicKey).toString('hex');

/** These two never run at the same time: what one has of the other came by a file. */
async function alone(gateway: MeshGateway): Promise<void> {
  for (const other of [hallway, cellar]) if (other !== gateway) await other.end('SIGTERM');
  gateway.start();
  await eventually('it runs', async () => (await gateway.mesh())?.state === 'running', 30_000);
}

const heldOf = (view: MeshView | undefined, author: MeshGateway): number =>
  view?.logs.find((log) => log.author === keyOf(author))?.heads[0]?.sequence ?? 0;

interface Carried {
  readonly entriesCount: number;
  readonly record?: { readonly name: string; readonly detail: Record<string, string> } | null;
}

const json = async (gateway: MeshGateway, ...args: string[]): Promise<Carried> =>
  JSON.parse(await gateway.sparc(...args, '--json')) as Carried;

const stick = join(folder, 'stick.courier');

t.test('a gateway that no network reaches has the ledger of another, by a file', async (t) => {
  await alone(hallway);
  for (const level of ['1', '2']) await hallway.sparc('mode', 'threat-level', level, '--by', 'Ada');
  const held = heldOf(await hallway.mesh(), hallway);
  const exported = await json(hallway, 'ledger', 'export', stick, '--format', 'courier');
  t.ok(exported.entriesCount >= held, `${exported.entriesCount} entries are carried`);

  await alone(cellar);
  const imported = await json(cellar, 'ledger', 'import', stick, '--by', 'Ada');
  t.equal(imported.record?.name, 'ledger.imported');
  t.equal(imported.record?.detail.entries, String(exported.entriesCount));
  const view = await cellar.mesh();
  t.ok(heldOf(view, hallway) >= held, `${heldOf(view, hallway)} entries of hallway are at cellar`);
  t.match(
    await cellar.sparc('ledger', 'replicas'),
    new RegExp(`hallway +${keyOf(hallway)} +${exported.entriesCount} `),
  );

  const again = await json(cellar, 'ledger', 'import', stick);
  t.equal(again.record?.detail.entries, '0', 'nothing comes in twice');
  await eventually('who brought it is on record', () =>
    cellar.journal.some(
      ({ record }) =>
        record?.name === 'ledger.brought' &&
        record.detail?.['by'] === 'Ada' &&
        record.detail['maker'] === keyOf(hallway) &&
        record.detail['outcome'] === 'done',
    ),
  );
});

t.test('only what a gateway lacks is carried, and waits for it where it does not run', async (t) => {
  const headsFile = join(folder, 'heads.json');
  await writeFile(headsFile, await cellar.sparc('mesh', 'heads', '--json'));
  const before = heldOf(await cellar.mesh(), hallway);
  await cellar.end('SIGTERM');
  // It recorded its own end meanwhile.
  const exported = await json(hallway, 'ledger', 'export', stick, '--format', 'courier', '--for', headsFile);
  const [own] = JSON.parse(await hallway.sparc('ledger', 'replicas', '--json')) as [{ readonly entriesCount: number }];
  t.ok(before > 0 && exported.entriesCount > 0);
  t.equal(exported.entriesCount, own.entriesCount - before);

  const imported = await json(cellar, 'ledger', 'import', stick);
  t.equal(imported.record, null, 'cellar does not run');
  await alone(cellar);
  await eventually('it took what waited', () => new InboxFolder(cellar.dataDir).list().length === 0);
  t.equal(heldOf(await cellar.mesh(), hallway), own.entriesCount);
});

t.test('what the authority signed comes into force at a gateway that no network reaches', async (t) => {
  const [authority, siteFile] = [join(folder, 'authority'), join(folder, 'site.yaml')];
  await writeFile(siteFile, SITE_FILE);
  for (const args of [
    ['policy', 'sign', siteFile],
    ['publish', stick],
  ]) {
    const { exitCode, stderr } = await sparc(['authority', ...args, '--dir', authority]);
    t.equal(exitCode, 0, stderr);
  }
  const imported = await json(cellar, 'ledger', 'import', stick);
  t.ok(Number(imported.record?.detail.parts) > 0);
  const isInForce = async () => (await cellar.mesh())?.policy?.inForce?.number === 1;
  await eventually('it is in force', isInForce, 30_000);
});

t.test('a file that is altered, cut short or of another site is refused before it is taken', async (t) => {
  const whole = await readFile(stick);
  const altered = Buffer.from(whole);
  // Behind the slots of its key, where it would look like another site's.
  const middle = altered.length >> 1;
  altered.writeUInt8(altered.readUInt8(middle) ^ 1, middle);
  const other = await mkdtemp(join(folder, 'market-'));
  const stranger = await MeshGateway.create(other, 'stranger');
  await enrol(other, 'market', [stranger]);
  await stranger.sparc('ledger', 'export', join(other, 'stick'), '--format', 'courier');
  for (const [bytes, code] of [
    [altered, 'ERR_COURIER_DAMAGED'],
    [whole.subarray(0, -1), 'ERR_COURIER_DAMAGED'],
    [await readFile(join(other, 'stick')), 'ERR_COURIER_OTHER_SITE'],
  ] as const) {
    await writeFile(stick, bytes);
    const { exitCode, stderr } = await sparc(['ledger', 'import', stick, '--config', cellar.configPath]);
    t.equal(exitCode, 3);
    t.match(stderr, code);
    t.strictSame(new InboxFolder(cellar.dataDir).list(), [], 'nothing of it waits');
  }
});
