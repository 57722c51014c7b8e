import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  BusSpeeds,
  digestOfBundle,
  ESCROW_FILE,
  KEY_STORE_FILE,
  KeyStore,
  loadRecoveryKey,
  sealBundle,
  type EscrowContent,
} from '@sparc/edge/commissioning';
import { loadGatewayConfig } from '@sparc/edge/config';
import { nodeRandom, tryLock } from '@sparc/edge/platform';
import { SITE_FILE } from '../../support/site-file.js';
import { sparc } from '../../support/sparc-command.js';

const [CURRENT, NEXT] = ['a0a1a2a3a4a5a6a7a8a9aaabacadaeaf', 'b0b1b2b3b4b5b6b7b8b9babbbcbdbebf'];
const CONTENT: EscrowContent = {
  siteId: 'harbour',
  gateway: 'hallway',
  sealedAtUnixMs: 1_790_000_000_000,
  devices: [{ id: 'front-out', bus: 'bus-a', address: 0, keys: { current: CURRENT, next: NEXT } }],
  busSpeeds: { 'bus-a': 38_400, 'bus-b': 115_200 },
};

/** What waits for a gateway to record it. */
const notesOf = (dataDir: string): unknown[] =>
  readdirSync(join(dataDir, 'acts')).map((name) => JSON.parse(readFileSync(join(dataDir, 'acts', name), 'utf8')));

async function scene(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-site-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const config = join(folder, 'gateway.json');
  const buses = [
    { id: 'bus-a', serial: { path: '/dev/ttyUSB7' } },
    { id: 'bus-b', tcp: { host: '127.0.0.1', port: 4_001 } },
  ];
  writeFileSync(config, JSON.stringify({ gateway: { name: 'new' }, dataDir: './data', buses }));
  const keyPath = join(folder, 'recovery.key');
  const made = await sparc(['site', 'recovery-key', '--out', keyPath, '--json']);
  const bundlePath = join(folder, 'hallway.sealed');
  const bundle = sealBundle(loadRecoveryKey(keyPath).publicKey, CONTENT, nodeRandom);
  writeFileSync(bundlePath, bundle);
  const restore = async (key = keyPath) => {
    const run = await sparc(['site', 'restore', bundlePath, '--recovery-key', key, '--config', config, '--json']);
    return { ...run, code: run.exitCode === 0 ? 'restored' : (JSON.parse(run.stderr) as { code: string }).code };
  };
  return { folder, config, dataDir: join(folder, 'data'), keyPath, bundlePath, bundle, made, restore };
}

t.test('a recovery key is made once, its private half for its owner alone', async (t) => {
  const { keyPath, made } = await scene(t);
  const { publicKey } = JSON.parse(made.stdout) as { publicKey: string };
  t.match(publicKey, /^[A-Za-z0-9_-]{43}$/);
  t.equal(Buffer.from(loadRecoveryKey(keyPath).publicKey).toString('base64url'), publicKey);
  t.equal(statSync(keyPath).mode & 0o777, 0o600);
  const again = await sparc(['site', 'recovery-key', '--out', keyPath, '--json']);
  t.equal((JSON.parse(again.stderr) as { code: string }).code, 'ERR_ESCROW_KEY_FILE');
});

t.test('keys, proven and unproven, and speeds of lines come onto a replacement gateway', async (t) => {
  const { config, dataDir, bundle, restore } = await scene(t);
  const run = await restore();
  t.match(JSON.parse(run.stdout), { siteId: 'harbour', gateway: 'hallway', devices: [{ id: 'front-out' }] });
  t.notMatch(run.stdout, CURRENT);
  const store = KeyStore.load(dataDir, nodeRandom);
  const key = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
  t.strictSame(store.devices.get('front-out'), { current: key(CURRENT), next: key(NEXT) });
  t.equal(store.restored, digestOfBundle(bundle));
  const speeds = new BusSpeeds(dataDir);
  const speedsOf = loadGatewayConfig(config).buses.map((bus) => speeds.speedOf(bus));
  t.strictSame(speedsOf, [38_400, 9_600], 'a converter has its own');
  t.equal((await restore()).code, 'ERR_ESCROW_KEYS_PRESENT', 'no second time');
});

t.test(
  'a wrong key, a damaged or foreign bundle and a gateway that runs are refused, and nothing is written',
  async (t) => {
    const { folder, config, dataDir, bundlePath, bundle, restore } = await scene(t);
    const other = join(folder, 'other.key');
    await sparc(['site', 'recovery-key', '--out', other]);
    t.equal((await restore(other)).code, 'ERR_ESCROW_KEY_WRONG');
    const text = Buffer.from(bundle).toString();
    writeFileSync(
      bundlePath,
      text.replace(/"sealed":"(.)/, (_all, first) => `"sealed":"${first === 'A' ? 'B' : 'A'}`),
    );
    t.equal((await restore()).code, 'ERR_ESCROW_DAMAGED');
    writeFileSync(bundlePath, text.slice(0, 100));
    t.equal((await restore()).code, 'ERR_ESCROW_FOREIGN');
    t.notOk(existsSync(dataDir));

    writeFileSync(bundlePath, bundle);
    mkdirSync(dataDir);
    const lock = tryLock(join(dataDir, 'gateway.lock'));
    t.equal((await restore()).code, 'ERR_GATEWAY_DATA_IN_USE');
    lock?.release();
    t.match(notesOf(dataDir), [
      { name: 'keys.restored', outcome: 'failed', code: 'ERR_GATEWAY_DATA_IN_USE', account: userInfo().username },
    ]);
    const site = join(folder, 'site.yaml');
    writeFileSync(site, SITE_FILE.replace('site: { id: harbour', 'site: { id: elsewhere'));
    const applied = await sparc(['policy', 'apply', site, '--config', config]);
    t.equal(applied.exitCode, 0, applied.stderr);
    t.equal((await restore()).code, 'ERR_ESCROW_FOREIGN', 'the policy is of another site');
    t.notOk(readdirSync(dataDir).includes(KEY_STORE_FILE));
  },
);

t.test('the newest bundle is copied out with the digest that the journal has', async (t) => {
  const { folder, config, dataDir, bundle } = await scene(t);
  const out = join(folder, 'copy.sealed');
  const copy = () => sparc(['site', 'escrow', '--out', out, '--config', config, '--by', 'Ada', '--json']);
  t.equal((JSON.parse((await copy()).stderr) as { code: string }).code, 'ERR_ESCROW_NONE');
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, ESCROW_FILE), bundle);
  t.strictSame(JSON.parse((await copy()).stdout), { file: out, digest: digestOfBundle(bundle) });
  t.strictSame(readFileSync(out), Buffer.from(bundle));
  t.match(notesOf(dataDir), [
    { name: 'escrow.copied', by: 'Ada', outcome: 'done', facts: { digest: digestOfBundle(bundle) } },
  ]);
});
