import { mkdirSync } from 'node:fs';
import { loadGatewayConfig, loadOsdpKeys, type GatewayConfig } from '../config/index.js';
import { createNodeClock, loadIdentity, nodeRandom } from '../platform/index.js';
import { loadPinKey } from '../policy/index.js';
import { createLog } from './gateway-log.js';
import { Gateway } from './gateway.js';

/**
 * Runs a gateway in the foreground until SIGINT or SIGTERM, and returns the exit code. A second signal ends it at once.
 * Throws a SparcError when the configuration or a secret is wrong.
 */
export async function runGateway(configPath: string, options: { readonly json: boolean }): Promise<0> {
  const config = loadGatewayConfig(configPath);
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const log = createLog(config.log.level, options.json);
  const gateway = new Gateway(config, {
    ...secretsOf(config),
    clock: createNodeClock(),
    random: nodeRandom,
    log,
    onListening: (url) => log.info({ url }, 'console'),
  });
  const stopped = signalled();
  try {
    await gateway.start();
    log.info({ gateway: config.gateway.name, dataDir: config.dataDir }, 'gateway running');
    const signal = await stopped;
    log.info({ signal }, 'stopping');
  } finally {
    await gateway.stop();
  }
  log.info({}, 'stopped');
  return 0;
}

function secretsOf({ dataDir, osdpKeysFile }: GatewayConfig) {
  return {
    signer: loadIdentity(dataDir),
    pinKey: loadPinKey(dataDir, nodeRandom),
    osdpKeys: osdpKeysFile === undefined ? new Map<string, Uint8Array>() : loadOsdpKeys(osdpKeysFile),
  };
}

/** Exit code of a process that a second signal ended. */
const INTERRUPTED = 130;

function signalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isFirst = true;
    const onSignal = (signal: NodeJS.Signals) => {
      if (!isFirst) process.exit(INTERRUPTED);
      isFirst = false;
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
