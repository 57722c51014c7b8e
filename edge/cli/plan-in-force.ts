import { SparcError } from '@sparc/protocol/errors';
import { loadGatewayConfig } from '../config/index.js';
import { findIdentity, verifySignature } from '../platform/index.js';
import { readSitePlan, verifyGeneration, type Manifest, type SitePlan } from '../policy/index.js';

/** The verified policy of a gateway, whether it runs or not. Throws ERR_POLICY_NONE, or why there is none. */
export function planInForce(configPath: string): { readonly manifest: Manifest; readonly plan: SitePlan } {
  const { dataDir } = loadGatewayConfig(configPath);
  const none = new SparcError('ERR_POLICY_NONE', `no site file has been applied to ${dataDir}`, { dataDir });
  const identity = findIdentity(dataDir);
  if (identity === undefined) throw none;
  const { current, rejected } = verifyGeneration(dataDir, (message, signature) =>
    verifySignature(identity.publicKey, message, signature),
  );
  if (current === undefined) throw rejected[0] ?? none;
  return { manifest: current.manifest, plan: readSitePlan(current.path) };
}
