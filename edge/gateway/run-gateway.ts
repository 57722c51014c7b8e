import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import { markOfFile, type ConfigMark } from '../audit/index.js';
import { KeyStore } from '../commissioning/index.js';
import { loadGatewayConfig, loadHostToken, loadOsdpKeys, type GatewayConfig } from '../config/index.js';
import type { FieldLog } from '../field/index.js';
import { HttpHost } from '../host/index.js';
import {
  createNodeClock,
  createTimeEvidence,
  loadIdentity,
  nodeRandom,
  tryLock,
  type ExclusiveLock,
} from '../platform/index.js';
import { createLog } from './gateway-log.js';
import { Gateway } from './gateway.js';

/**
 * Runs a gateway in the foreground until SIGINT or SIGTERM, and returns the exit code. A second SIGINT ends it at once.
 * Throws a SparcError when the configuration or a secret is wrong, or another gateway has the data directory.
 */
export async function runGateway(configPath: string, options: { readonly json: boolean }): Promise<0> {
  const config = loadGatewayConfig(configPath);
  const configFiles = marksOf(configPath, config);
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const log = createLog(config.log.level, options.json);
  const lock = lockDataDir(config.dataDir, log);
  const stopped = signalled();
  try {
    let reason: 'joined' | NodeJS.Signals;
    do reason = await runOnce(config, configFiles, log, stopped);
    while (reason === 'joined');
  } finally {
    lock?.release();
  }
  log.info({}, 'stopped');
  return 0;
}

/** Until a signal, or until the gateway has joined a site: all that it does from then on is of that site. */
async function runOnce(
  config: GatewayConfig,
  configFiles: readonly ConfigMark[],
  log: FieldLog,
  stopped: Promise<NodeJS.Signals>,
): Promise<'joined' | NodeJS.Signals> {
  let onJoined: () => void = () => undefined;
  const joined = new Promise<'joined'>((resolve) => (onJoined = () => resolve('joined')));
  const gateway = new Gateway(config, {
    ...secretsOf(config),
    clock: createNodeClock(),
    timeEvidence: createTimeEvidence(),
    random: nodeRandom,
    log,
    configFiles,
    onListening: (url) => log.info({ url }, 'console'),
    onJoined,
  });
  let reason: 'joined' | NodeJS.Signals;
  try {
    await gateway.start();
    log.info({ gateway: config.gateway.name, dataDir: config.dataDir }, 'gateway running');
    reason = await Promise.race([stopped, joined]);
    if (reason === 'joined') log.info({}, 'joined a site: starting anew as a member');
    else log.info({ signal: reason }, 'stopping');
  } finally {
    await gateway.stop();
  }
  // A signal that came meanwhile ends the process, and has no patience with the disk.
  return Promise.race([stopped, gateway.written().then(() => reason)]);
}

function marksOf(configPath: string, { osdpKeysFile }: GatewayConfig): ConfigMark[] {
  const keys = osdpKeysFile === undefined ? [] : [markOfFile('osdpKeys', osdpKeysFile)];
  return [markOfFile('configuration', configPath), ...keys];
}

/** Two gateways on one journal would each undo the other. A disk that cannot even lock must not keep anybody in. */
function lockDataDir(dataDir: string, log: FieldLog): ExclusiveLock | undefined {
  let lock: ExclusiveLock | undefined;
  try {
    lock = tryLock(join(dataDir, 'gateway.lock'));
  } catch (error) {
    log.warn({ error }, 'the data directory cannot be locked against a second gateway');
    return undefined;
  }
  if (lock !== undefined) return lock;
  throw new SparcError('ERR_GATEWAY_DATA_IN_USE', `another gateway runs on ${dataDir}`, { dataDir });
}

function secretsOf({ dataDir, osdpKeysFile, host }: GatewayConfig) {
  return {
    ...(host && { host: new HttpHost({ url: host.url, token: loadHostToken(host.tokenFile) }) }),
    signer: loadIdentity(dataDir),
    keyStore: KeyStore.load(dataDir, nodeRandom),
    osdpKeys: osdpKeysFile === undefined ? new Map<string, Uint8Array>() : loadOsdpKeys(osdpKeysFile),
  };
}

/** Exit code of a process that was interrupted. */
const INTERRUPTED = 130;

function signalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let interruptsCount = 0;
    const onSignal = (signal: NodeJS.Signals) => {
      if (signal === 'SIGINT') interruptsCount += 1;
      // Ctrl-C reaches a whole process group, and whoever started this one often ends it by SIGTERM too, which may come first.
      if (interruptsCount > 1) process.exit(INTERRUPTED);
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
