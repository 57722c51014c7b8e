import type { HashedCredential } from './hashed-credential.js';
import type { AccessProfile, CredentialHolder } from './site-file.js';
import type { EmergencyCard, SitePlan } from './site-plan.js';

/** A whole policy, checked and without PINs. People are streamed, once, each list in the order of its ids: there may be millions. */
export interface PolicyContent {
  readonly plan: SitePlan;
  readonly emergencyCredentials: readonly EmergencyCard[];
  readonly profiles: Iterable<AccessProfile>;
  readonly holders: Iterable<CredentialHolder>;
  readonly credentials: Iterable<HashedCredential>;
}
