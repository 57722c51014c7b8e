import type { PolicyContent, SiteFile } from '@sparc/protocol/policy';
import { emergencyCardsOf } from './emergency.js';
import { pinAloneProfiles } from './pin-alone.js';
import { hashPins } from './pin.js';
import { sitePlanOf } from './site-plan.js';

/** What a site file says that `validateSiteFile` returned, as it is stored and as it travels. */
export function policyContentOf(site: SiteFile, pinKey: Uint8Array): PolicyContent {
  const alone = pinAloneProfiles(site.accessPoints, site.accessProfiles);
  return {
    plan: sitePlanOf(site),
    emergencyCredentials: emergencyCardsOf(site),
    profiles: byId(site.accessProfiles),
    holders: byId(site.credentialHolders),
    credentials: byId(site.credentials).map((credential) =>
      hashPins(
        pinKey,
        credential,
        credential.accessProfiles.some((profile) => alone.has(profile)),
      ),
    ),
  };
}

const byId = <T extends { readonly id: string }>(records: readonly T[]): readonly T[] =>
  [...records].sort((a, b) => (a.id < b.id ? -1 : 1));
