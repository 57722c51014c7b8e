import { identifierKey } from '../card-format/index.js';
import {
  pinAloneProfiles,
  type Credential,
  type EmergencyCard,
  type HashedCredential,
  type PolicyContent,
  type SiteFile,
} from '../policy/index.js';
import { hashPins, type PinMac } from './pins.js';
import { sitePlanOf } from './site-plan-of.js';

/** What a site file says in which nothing is wrong, as it is stored and as it travels. */
export const contentOfSite = (site: SiteFile, mac: PinMac): PolicyContent => ({
  ...contentButPeople(site),
  holders: byId(site.credentialHolders),
  credentials: byId(site.credentials).map(pinHasher(site, mac)),
});

/** The same without holders and credentials; `site` has those that its emergency credentials name. */
export const contentButPeople = (site: SiteFile): Omit<PolicyContent, 'holders' | 'credentials'> => ({
  plan: sitePlanOf(site),
  emergencyCredentials: emergencyCardsOf(site),
  profiles: byId(site.accessProfiles),
});

/** Takes the PINs out of credentials of a site. */
export function pinHasher(
  { accessPoints, accessProfiles }: SiteFile,
  mac: PinMac,
): (credential: Credential) => HashedCredential {
  const alone = pinAloneProfiles(accessPoints, accessProfiles);
  return (credential) =>
    hashPins(
      mac,
      credential,
      credential.accessProfiles.some((profile) => alone.has(profile)),
    );
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
