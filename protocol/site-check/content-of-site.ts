import { identifierKey } from '../card-format/index.js';
import { pinAloneProfiles, type EmergencyCard, type PolicyContent, type SiteFile } from '../policy/index.js';
import { hashPins, type PinMac } from './pins.js';
import { sitePlanOf } from './site-plan-of.js';

/** What a site file says in which nothing is wrong, as it is stored and as it travels. */
export function contentOfSite(site: SiteFile, mac: PinMac): PolicyContent {
  const alone = pinAloneProfiles(site.accessPoints, site.accessProfiles);
  return {
    plan: sitePlanOf(site),
    emergencyCredentials: emergencyCardsOf(site),
    profiles: byId(site.accessProfiles),
    holders: byId(site.credentialHolders),
    credentials: byId(site.credentials).map((credential) =>
      hashPins(
        mac,
        credential,
        credential.accessProfiles.some((profile) => alone.has(profile)),
      ),
    ),
  };
}

function emergencyCardsOf(site: SiteFile): EmergencyCard[] {
  return (site.emergencyCredentials ?? []).map(({ credential: credentialId, accessPoints }) => {
    const credential = site.credentials.find(({ id }) => id === credentialId);
    return {
      credentialId,
      ...(credential !== undefined && { holderId: credential.holder }),
      identifierKeys: (credential?.identifiers ?? []).map(identifierKey),
      accessPointIds: accessPoints,
    };
  });
}

const byId = <T extends { readonly id: string }>(records: readonly T[]): readonly T[] =>
  [...records].sort((a, b) => (a.id < b.id ? -1 : 1));
