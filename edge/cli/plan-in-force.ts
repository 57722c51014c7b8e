import { SparcError } from '@sparc/protocol/errors';
import type { SitePlan } from '@sparc/protocol/policy';
import { loadGatewayConfig } from '../config/index.js';
import { findIdentity, nodeRandom, verifySignature } from '../platform/index.js';
import {
  pinKeyOf,
  readSitePlan,
  SqlitePolicyView,
  verifyGeneration,
  type Manifest,
  type UsableGeneration,
} from '../policy/index.js';

/** What proves that a policy is the gateway's own. Throws ERR_POLICY_NONE: without a key there is none. */
export function verifyOf(dataDir: string): (message: Uint8Array, signature: Uint8Array) => boolean {
  const identity = findIdentity(dataDir);
  if (identity === undefined) throw noPolicy(dataDir);
  return (message, signature) => verifySignature(identity.publicKey, message, signature);
}

/** The verified generation of a gateway, whether it runs or not. Throws ERR_POLICY_NONE, or why there is none. */
export function generationInForce(dataDir: string): UsableGeneration {
  const { current, rejected } = verifyGeneration(dataDir, verifyOf(dataDir));
  if (current === undefined) throw rejected[0] ?? noPolicy(dataDir);
  return current;
}

/** Throws as `generationInForce`. */
export function planInForce(configPath: string): { readonly manifest: Manifest; readonly plan: SitePlan } {
  const { path, manifest } = generationInForce(loadGatewayConfig(configPath).dataDir);
  return { manifest, plan: readSitePlan(path) };
}

/** The id of the site whose policy is in force; undefined where none is. */
export function siteInForce(dataDir: string): string | undefined {
  if (findIdentity(dataDir) === undefined) return undefined;
  const { current } = verifyGeneration(dataDir, verifyOf(dataDir));
  return current === undefined ? undefined : readSitePlan(current.path).site.id;
}

/** Asks a generation, and closes it. */
export async function withView<T>(
  { path, manifest }: UsableGeneration,
  dataDir: string,
  use: (view: SqlitePolicyView) => T | Promise<T>,
): Promise<T> {
  const view = SqlitePolicyView.open(path, pinKeyOf(dataDir, manifest, nodeRandom));
  try {
    return await use(view);
  } finally {
    view.close();
  }
}

const noPolicy = (dataDir: string) =>
  new SparcError('ERR_POLICY_NONE', `no site file has been applied to ${dataDir}`, { dataDir });
