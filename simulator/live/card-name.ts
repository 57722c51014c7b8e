import type { Credential, CredentialHolder } from '@sparc/protocol/policy';

/** What a person at the simulator needs to know of a card: whose it is, its PIN, what is wrong with it. */
export function cardName(credential: Credential, holder: CredentialHolder | undefined): string {
  const remarks = [
    ...(credential.pin === undefined ? [] : [`PIN ${credential.pin}`]),
    ...(credential.status === 'active' ? [] : [credential.status]),
    ...(holder?.status === 'suspended' ? ['suspended'] : []),
    ...(credential.validFrom === undefined ? [] : [`from ${credential.validFrom}`]),
    ...(credential.validTo === undefined ? [] : [`until ${credential.validTo}`]),
    credential.accessProfiles.length === 0 ? 'no right' : credential.accessProfiles.join(', '),
  ];
  return `${holder?.name ?? credential.holder} (${remarks.join('; ')})`;
}
