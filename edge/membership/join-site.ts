import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { VerifySignature } from '@sparc/protocol/ports';
import { isNewer, newestOf, openAdmission, type OpenAdmission } from '@sparc/protocol/roster';
import { LinkFiles } from '../cloud-enrolment/index.js';
import { findIdentity, findIdentitySeed, toHex } from '../platform/index.js';
import { readMembership, writeMembership, type MembershipRecord } from './membership-files.js';
import { withSecret } from './site-secrets.js';

/**
 * Makes the gateway of a data directory a member of the site that its admission names. `policySite`: the id of the site
 * whose policy is in force, if one is. A gateway that runs finds it within seconds, and the cloud if that enrolled it: it need
 * not stop for it.
 * Throws ERR_MESH_ADMISSION_INVALID, ERR_MESH_ROSTER_SET_BACK, ERR_MESH_OTHER_SITE or ERR_CLAIM_LINK_INVALID, or what the file
 * system throws.
 */
export function joinSite(
  dataDir: string,
  verify: VerifySignature,
  policySite: string | undefined,
  file: Uint8Array,
  nowUnixMs: number,
): OpenAdmission {
  const admission = openAdmission(verify, ownKey(dataDir), file);
  assertSameSite(admission, policySite);
  const before = readable(dataDir, verify);
  if (before !== undefined) assertFollows(before, admission);
  const secrets = withSecret(before?.secrets, admission.siteSecret, admission.previousSecrets, nowUnixMs);
  if (admission.link !== undefined) new LinkFiles(dataDir).keep(admission.link);
  writeMembership(dataDir, { ...admission, secrets });
  return admission;
}

function ownKey(dataDir: string): { readonly key: string; readonly seed: Uint8Array } {
  const [identity, seed] = [findIdentity(dataDir), findIdentitySeed(dataDir)];
  if (identity !== undefined && seed !== undefined) {
    return { key: toHex(identity.publicKey), seed };
  }
  throw new SparcError('ERR_MESH_ADMISSION_INVALID', `${dataDir} has no gateway key yet, so it made no request`);
}

/** A membership that is damaged is what joining again repairs. */
function readable(dataDir: string, verify: VerifySignature): MembershipRecord | undefined {
  try {
    return readMembership(dataDir, verify);
  } catch (error) {
    if (isSparcError(error, 'ERR_MESH_MEMBERSHIP_DAMAGED')) return undefined;
    throw error;
  }
}

function assertSameSite({ roster }: OpenAdmission, policySite: string | undefined): void {
  if (policySite === undefined || policySite === roster.site) return;
  const message = `the admission is to site ${roster.site}, and the policy in force is of ${policySite}`;
  throw new SparcError('ERR_MESH_OTHER_SITE', message);
}

/** An old file, kept somewhere, undoes nothing. */
function assertFollows(before: MembershipRecord, { authority, roster }: OpenAdmission): void {
  if (!Buffer.from(before.authority).equals(authority)) {
    throw new SparcError('ERR_MESH_OTHER_SITE', `this gateway is a member of ${before.roster.site} already`);
  }
  if (isNewer(newestOf(before.roster, roster), roster)) {
    const message = `its roster has epoch ${roster.epoch}, and this gateway knows ${before.roster.epoch} already`;
    throw new SparcError('ERR_MESH_ADMISSION_INVALID', message);
  }
}
