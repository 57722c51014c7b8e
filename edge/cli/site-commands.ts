import { copyFileSync, existsSync, mkdirSync, readFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import {
  BusSpeeds,
  createRecoveryKey,
  digestOfBundle,
  ESCROW_FILE,
  heldKeysFromJson,
  KeyStore,
  loadRecoveryKey,
  openBundle,
  type EscrowContent,
} from '../commissioning/index.js';
import { loadGatewayConfig, type GatewayConfig } from '../config/index.js';
import { nodeRandom, tryLock } from '../platform/index.js';
import { acting, byOption } from './acting.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { siteInForce } from './plan-in-force.js';
import { addSiteDirectives } from './site-directives.js';

interface Flags {
  readonly config: string;
  readonly by?: string;
}
type EscrowFlags = Flags & { readonly out: string };
type RestoreFlags = Flags & { readonly recoveryKey: string };

export function addSiteCommands(cli: Cli): void {
  const site = cli.program
    .command('site')
    .description('the whole site: lockdown and threat level; keys of readers in escrow');
  addSiteDirectives(cli, site);
  site
    .command('recovery-key')
    .description('make the recovery key of a site: the private half for the safe, the public half for its gateways')
    .requiredOption('--out <file>', 'new file for the private half')
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc site recovery-key --out /media/usb/harbour-recovery.key'))
    .action(({ out }: { out: string }) => makeRecoveryKey(cli, out));
  site
    .command('escrow')
    .description('copy the newest escrow bundle of this gateway')
    .requiredOption('--out <file>', 'where to')
    .addOption(configOption())
    .addOption(byOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc site escrow --out /media/usb/hallway.sealed'))
    .action((flags: EscrowFlags) => copyBundle(cli, flags));
  site
    .command('restore <bundle>')
    .description('give the keys of a lost gateway to this one, so that no reader has to be touched')
    .requiredOption('--recovery-key <file>', 'private half of the recovery key of the site')
    .addOption(configOption())
    .addOption(byOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc site restore hallway.sealed --recovery-key /media/usb/harbour-recovery.key'))
    .action((bundle: string, flags: RestoreFlags) => restore(cli, bundle, flags));
}

function makeRecoveryKey({ output }: Cli, out: string): void {
  const publicKey = Buffer.from(createRecoveryKey(out, nodeRandom)).toString('base64url');
  const human = [
    publicKey,
    '',
    `${out} opens every escrow bundle of the site: keep it in a safe, on no gateway.`,
    'Into the configuration of each gateway of the site:',
    `  escrow: { recoveryKey: ${publicKey} }`,
  ];
  output.result({ publicKey, privateKeyFile: out }, human.join('\n'));
}

async function copyBundle({ output }: Cli, { out, config, by }: EscrowFlags): Promise<void> {
  const { dataDir } = loadGatewayConfig(config);
  const path = join(dataDir, ESCROW_FILE);
  if (!existsSync(path)) throw new SparcError('ERR_ESCROW_NONE', `there is no ${path}`, { dataDir });
  const digest = await acting(dataDir, by, {
    name: 'escrow.copied',
    work: () => copyEscrow(path, out),
    facts: (copied) => ({ digest: copied }),
  });
  output.result({ file: out, digest }, `${out}\nSHA-256 ${digest}, as in the journal (escrow.written).`);
}

/** Returns the digest of the copy. */
function copyEscrow(path: string, out: string): string {
  try {
    copyFileSync(path, out);
    chmodSync(out, 0o600);
  } catch (cause) {
    throw new SparcError('ERR_ESCROW_WRITE_FAILED', `${out}: ${(cause as Error).message}`, { out }, { cause });
  }
  return digestOfBundle(readFileSync(out));
}

async function restore({ output }: Cli, path: string, { recoveryKey, config, by }: RestoreFlags): Promise<void> {
  const gateway = loadGatewayConfig(config);
  const bytes = readBundle(path);
  const content = openBundle(bytes, loadRecoveryKey(recoveryKey));
  const digest = digestOfBundle(bytes);
  await acting(gateway.dataDir, by, {
    name: 'keys.restored',
    work: () => restoreKeys(gateway, content, digest),
    facts: () => ({ digest, devices: String(content.devices.length) }),
  });
  output.result({ ...summary(content), digest }, restored(content, digest));
}

async function restoreKeys(config: GatewayConfig, content: EscrowContent, digest: string): Promise<void> {
  const { dataDir } = config;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = tryLock(join(dataDir, 'gateway.lock'));
  if (lock === undefined) throw new SparcError('ERR_GATEWAY_DATA_IN_USE', `a gateway runs on ${dataDir}`, { dataDir });
  try {
    assertSameSite(dataDir, content);
    const store = KeyStore.load(dataDir, nodeRandom);
    if (store.devices.size > 0) throw new SparcError('ERR_ESCROW_KEYS_PRESENT', `${dataDir} holds keys already`);
    await restoreSpeeds(config, content);
    await store.restore(new Map(content.devices.map(({ id, keys }) => [id, heldKeysFromJson(keys)])), digest);
  } finally {
    lock.release();
  }
}

function readBundle(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new SparcError('ERR_CONFIG_UNREADABLE', `${path}: ${(cause as Error).message}`, { path }, { cause });
  }
}

/** A policy that is in force already says whose readers these are. */
function assertSameSite(dataDir: string, { siteId }: EscrowContent): void {
  const here = siteInForce(dataDir);
  if (here === undefined || here === siteId) return;
  throw new SparcError('ERR_ESCROW_FOREIGN', `the bundle is of site ${siteId}, and the policy of ${here}`, { siteId });
}

async function restoreSpeeds(config: GatewayConfig, { busSpeeds }: EscrowContent): Promise<void> {
  const speeds = new BusSpeeds(config.dataDir);
  for (const bus of config.buses) {
    const speed = busSpeeds[bus.id];
    // Behind a converter only the converter can change it.
    if (speed !== undefined && 'serial' in bus && speed !== speeds.speedOf(bus)) await speeds.set(bus, speed);
  }
}

const summary = ({ siteId, gateway, sealedAtUnixMs, devices }: EscrowContent) => ({
  siteId,
  gateway,
  sealedAt: new Date(sealedAtUnixMs).toISOString(),
  devices: devices.map(({ id, bus, address }) => ({ id, bus, address })),
});

function restored(content: EscrowContent, digest: string): string {
  const { siteId, gateway, sealedAt, devices } = summary(content);
  return [
    `The keys of ${devices.length} devices of gateway ${gateway}, site ${siteId}, sealed ${sealedAt}:`,
    ...devices.map(({ id, bus, address }) => `  ${id}${bus === undefined ? '' : ` (${bus}, address ${address})`}`),
    `SHA-256 ${digest}. Compare it with the journal of the lost gateway if you have one (escrow.written).`,
    'Apply the site file if that is not done yet, then start the gateway: its readers come up by themselves.',
  ].join('\n');
}
