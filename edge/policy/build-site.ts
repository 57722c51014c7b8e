import type { Database } from 'better-sqlite3';
import type { SiteFile } from '@sparc/protocol/policy';
import { PolicyBuilder, type PolicyBuilderOptions } from './policy-builder.js';
import { sitePlanOf } from './site-plan.js';

/** Adds the people of a site file, in the order in which references need them. */
export function addPeople(site: SiteFile, builder: PolicyBuilder): void {
  for (const profile of site.accessProfiles) builder.addAccessProfile(profile);
  for (const holder of site.credentialHolders) builder.addCredentialHolder(holder);
  for (const credential of site.credentials) builder.addCredential(credential);
}

/** Builds the store of a site file that `validateSiteFile` returned, such as in `:memory:`. The caller closes it. */
export function buildSite(site: SiteFile, options: Omit<PolicyBuilderOptions, 'plan'>): Database {
  const builder = new PolicyBuilder({ ...options, plan: sitePlanOf(site) });
  addPeople(site, builder);
  return builder.finish();
}
