import { applyGeneration, type GenerationOptions } from './apply-generation.js';
import type { PolicyBus } from './check-buses.js';
import type { Manifest } from './manifest.js';
import { policyContentOf } from './policy-content.js';
import { validateSiteFile } from './validate-site-file.js';

export interface ApplyOptions extends GenerationOptions {
  readonly text: string;
  /** For messages. */
  readonly fileName: string;
  /** Of `loadPinKey`. */
  readonly pinKey: Uint8Array;
  /** Those of the gateway that is to serve it: a policy that asks too much of one is refused. */
  readonly buses?: readonly PolicyBus[];
}

/**
 * Brings a site file into force as a new generation, all or nothing. Returns its manifest.
 * Throws ERR_POLICY_INVALID, ERR_POLICY_APPLY_BUSY or ERR_POLICY_WRITE_FAILED.
 */
export function applySiteFile(options: ApplyOptions): Manifest {
  const site = validateSiteFile(options.text, options.fileName, options.buses);
  return applyGeneration(options, policyContentOf(site, options.pinKey));
}
