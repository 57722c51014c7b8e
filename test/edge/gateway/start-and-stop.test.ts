import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { KeyStore } from '@sparc/edge/commissioning';
import { parseGatewayConfig } from '@sparc/edge/config';
import { Gateway } from '@sparc/edge/gateway';
import { JOURNAL_FILE, readEntries } from '@sparc/edge/ledger';
import { createNodeClock, loadIdentity, nodeRandom } from '@sparc/edge/platform';
import type { StoredRecord } from '@sparc/protocol/ledger';
import type { TimeEvidence } from '@sparc/protocol/ports';
import { openPolicyScene, policyScene } from '../policy/policy-scene.js';
import { eventually } from '../../support/peers.js';

/** As on a machine that knows of no time source. */
const NO_EVIDENCE: TimeEvidence = {
  bootId: undefined,
  uptimeMs: () => performance.now(),
  confirmedUnixMs: () => undefined,
  hardwareUnixMs: () => undefined,
};

function gatewayOf(t: Test, dataDir: string): { gateway: Gateway; log: string[] } {
  const config = parseGatewayConfig(
    JSON.stringify({ gateway: { name: 'test' }, dataDir, buses: [], api: { port: 0 } }),
    join(dataDir, 'gateway.yaml'),
  );
  const log: string[] = [];
  const write = (_fields: object, message: string) => void log.push(message);
  const gateway = new Gateway(config, {
    clock: createNodeClock(),
    timeEvidence: NO_EVIDENCE,
    random: nodeRandom,
    signer: loadIdentity(dataDir),
    osdpKeys: new Map(),
    keyStore: KeyStore.load(dataDir, nodeRandom),
    log: { info: write, warn: write, error: write },
    configFiles: [],
    onJoined: () => undefined,
    onListening: () => undefined,
  });
  t.teardown(() => gateway.stop());
  return { gateway, log };
}

/** What is recorded of the policy, when the journal's thread has come as far as `last`. */
async function policyEvents(dataDir: string, last: string): Promise<string[]> {
  let names: string[] = [];
  await eventually(`${last} is recorded`, () => {
    names = namesIn(join(dataDir, JOURNAL_FILE));
    return names.includes(last);
  });
  return names.filter((name) => name.startsWith('policy.'));
}

const namesIn = (journal: string): string[] => recordsIn(journal).map(({ name }) => name);

function recordsIn(journal: string): StoredRecord[] {
  try {
    return readEntries(journal, { limit: 1_000 }).flatMap(({ record }) => record ?? []);
  } catch {
    // The thread has not made its tables yet.
    return [];
  }
}

t.test('a policy that takes long to verify holds up no start', async (t) => {
  const scene = policyScene(t);
  scene.apply();
  const database = join(scene.dataDir, 'policy', 'generation-1.db');
  const aside = join(scene.dataDir, 'aside.db');
  const bytes = readFileSync(database);
  renameSync(database, aside);
  // A disk that does not answer: whoever reads waits until somebody writes.
  execFileSync('mkfifo', [database]);
  const { gateway, log } = gatewayOf(t, scene.dataDir);
  const unblock = async () => {
    const pipe = await open(database, 'w');
    renameSync(aside, database);
    await pipe.writeFile(bytes);
    await pipe.close();
  };
  const rescue = setTimeout(() => void unblock(), 10_000);
  await gateway.start();
  t.notOk(log.includes('policy loaded'), 'the field is there before its policy');
  clearTimeout(rescue);
  await unblock();
  await eventually('the policy is loaded', () => log.includes('policy loaded'));
  t.same(await policyEvents(scene.dataDir, 'policy.loaded'), ['policy.lost', 'policy.loaded']);
});

t.test('a policy folder that cannot be read holds up no start', async (t) => {
  const scene = policyScene(t);
  writeFileSync(join(scene.dataDir, 'policy'), 'no folder');
  const { gateway } = gatewayOf(t, scene.dataDir);
  await gateway.start();
  t.same(await policyEvents(scene.dataDir, 'gateway.started'), ['policy.lost']);
});

t.test('a generation that is whole and cannot be opened leaves the one before it in force', async (t) => {
  const scene = policyScene(t);
  scene.apply();
  const { gateway, log } = gatewayOf(t, scene.dataDir);
  await gateway.start();
  await eventually('the one before it is in force', () => log.includes('policy loaded'));
  const elsewhere = mkdtempSync(join(tmpdir(), 'sparc-policy-'));
  t.teardown(() => rmSync(elsewhere, { recursive: true }));
  cpSync(scene.dataDir, elsewhere, { recursive: true });
  openPolicyScene(elsewhere).apply();
  const [from, to] = [join(elsewhere, 'policy'), join(scene.dataDir, 'policy')];
  for (const end of ['db', 'json', 'emergency.json']) {
    copyFileSync(join(from, `generation-2.${end}`), join(to, `generation-2.${end}`));
  }
  // To SQLite a transaction that was cut off, and that cannot be read.
  mkdirSync(join(to, 'generation-2.db-journal'));
  copyFileSync(join(from, 'current'), join(to, 'current.tmp'));
  renameSync(join(to, 'current.tmp'), join(to, 'current'));
  await eventually('it is refused', () => log.some((message) => message.includes('generation-2.db')));
  // A busy machine has none at first.
  t.same((await policyEvents(scene.dataDir, 'policy.rejected')).slice(-2), ['policy.loaded', 'policy.rejected']);
});

t.test('a gateway that is alone says of each device that its bus is none of its own', async (t) => {
  const scene = policyScene(t);
  scene.apply();
  const { gateway } = gatewayOf(t, scene.dataDir);
  await gateway.start();
  await eventually('it is recorded', () =>
    recordsIn(join(scene.dataDir, JOURNAL_FILE)).some(({ code }) => code === 'ERR_CONFIG_BUS_UNKNOWN'),
  );
});

t.test('a gateway that is stopped while its journal still starts records what it did', async (t) => {
  const { dataDir } = policyScene(t);
  const { gateway } = gatewayOf(t, dataDir);
  await gateway.start();
  await gateway.stop();
  t.same(namesIn(join(dataDir, JOURNAL_FILE)), ['clock.unsynced', 'policy.lost', 'gateway.started', 'gateway.stopped']);
});
