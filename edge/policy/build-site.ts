import type { Database } from 'better-sqlite3';
import type { PolicyContent, SiteFile } from '@sparc/protocol/policy';
import { PolicyBuilder, type PolicyBuilderOptions } from './policy-builder.js';
import { policyContentOf } from './policy-content.js';

/** Builds the store of a policy. The caller closes it. Throws what `PolicyBuilder` throws, and what the content does. */
export function buildContent(
  { plan, profiles, holders, credentials }: PolicyContent,
  options: Omit<PolicyBuilderOptions, 'plan'>,
): Database {
  const builder = new PolicyBuilder({ ...options, plan });
  try {
    for (const profile of profiles) builder.addAccessProfile(profile);
    for (const holder of holders) builder.addCredentialHolder(holder);
    for (const credential of credentials) builder.addCredential(credential);
    return builder.finish();
  } catch (error) {
    builder.abandon();
    throw error;
  }
}

/** Builds the store of a site file that `validateSiteFile` returned, such as in `:memory:`. The caller closes it. */
export function buildSite(
  site: SiteFile,
  { pinKey, ...options }: Omit<PolicyBuilderOptions, 'plan'> & { readonly pinKey: Uint8Array },
): Database {
  return buildContent(policyContentOf(site, pinKey), options);
}
