import type { Database } from 'better-sqlite3';
import type { SiteFile } from '@sparc/protocol/policy';
import { PolicyBuilder, type PolicyBuilderOptions } from './policy-builder.js';
import { sitePlanOf } from './site-plan.js';

/** Builds a generation from a whole site file that `validateSiteFile` returned. The caller closes the database. */
export function buildSite(site: SiteFile, options: Omit<PolicyBuilderOptions, 'plan'>): Database {
  const builder = new PolicyBuilder({ ...options, plan: sitePlanOf(site) });
  try {
    for (const profile of site.accessProfiles) builder.addAccessProfile(profile);
    for (const holder of site.credentialHolders) builder.addCredentialHolder(holder);
    for (const credential of site.credentials) builder.addCredential(credential);
    return builder.finish();
  } catch (error) {
    builder.abandon();
    throw error;
  }
}
