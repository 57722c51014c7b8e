import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { LinkGrant } from '../enrolment/index.js';
import { isSparcError, SparcError, type ErrorCode } from '../errors/index.js';
import { bytes, hex, list, message, optional, required, type Infer } from '../ledger/index.js';
import type { Random } from '../ports/random.js';
import type { Signer, VerifySignature } from '../ports/signer.js';
import { assertMember, Member, openRoster, SignedRoster, type Roster } from './roster.js';
import { seal, Sealed, unseal } from './sealed.js';
import { SITE_SECRET_BYTES, SITE_SECRETS_MAX, SiteSecret } from './site-secret.js';

const REQUEST_DOMAIN = utf8ToBytes('sparc/enrolment/1\0');
const GRANT_DOMAIN = utf8ToBytes('sparc/link-grant/1\0');
const ADMISSION_DOMAIN = utf8ToBytes('sparc/admission/1\0');

/** What a gateway takes to the authority of a site. */
const EnrolmentRequest = message({
  member: required(1, Member),
  /** For its link to the cloud (PKCS #10, DER), with a key of its own. */
  certificateRequest: optional(2, bytes(1, 4_096)),
});
type EnrolmentRequest = Infer<typeof EnrolmentRequest>;

/** What the cloud grants, signed by its key for the site. */
const SignedGrant = message({
  grant: required(1, bytes(1, 32_768)),
  signature: required(2, bytes(64)),
});
type SignedGrant = Infer<typeof SignedGrant>;

/** The same as a file. */
const SignedRequest = message({
  request: required(1, bytes(1, 8_192)),
  signature: required(2, bytes(64)),
  /** Put in by the cloud, on the way to an authority that it does not keep: that signs it in the admission. */
  link: optional(3, SignedGrant),
});

/** What all members of a site know, and nobody else. */
const MemberSecrets = message({
  siteSecret: required(1, SiteSecret),
  pinKey: required(2, bytes(32)),
  /** Those before the site secret, newest first: the other members may not have heard of it yet. */
  previousSecrets: list(3, bytes(SITE_SECRET_BYTES), SITE_SECRETS_MAX - 1),
});
export type MemberSecrets = Infer<typeof MemberSecrets>;

/** What the authority gives back to one gateway. */
const Admission = message({
  /** For whom. */
  key: required(1, hex(32)),
  authority: required(2, bytes(32)),
  roster: required(3, SignedRoster),
  /** MemberSecrets, sealed to the key. */
  secrets: required(4, Sealed),
  /** Where the cloud enrolled it. */
  link: optional(5, LinkGrant),
});

/** The same as a file. */
const SignedAdmission = message({
  admission: required(1, bytes(1, 65_536)),
  signature: required(2, bytes(64)),
});

/** The request of a gateway, as a file. Throws ERR_MESH_ROSTER_INVALID for what no roster takes. */
export function signRequest(
  gateway: Signer,
  { name, addresses }: Omit<Member, 'key'>,
  certificateRequest?: Uint8Array,
): Uint8Array {
  const member = { key: bytesToHex(gateway.publicKey), name, addresses };
  assertMember(member);
  const request = EnrolmentRequest.encode({ member, ...(certificateRequest && { certificateRequest }) });
  return SignedRequest.encode({ request, signature: gateway.sign(concatBytes(REQUEST_DOMAIN, request)) });
}

export interface OpenRequest extends EnrolmentRequest {
  /** By the cloud whose key it names: whether that is the right one is for a person to know. */
  readonly link?: LinkGrant;
}

/** Throws ERR_MESH_REQUEST_INVALID unless the gateway that it names made it, and the cloud that it names what that grants. */
export function openRequest(verify: VerifySignature, file: Uint8Array): OpenRequest {
  return saying('ERR_MESH_REQUEST_INVALID', () => {
    const { request: encoded, signature, link } = SignedRequest.decode(file);
    const request = EnrolmentRequest.decode(encoded);
    const { member } = request;
    assertMember(member);
    if (!verify(hexToBytes(member.key), concatBytes(REQUEST_DOMAIN, encoded), signature)) {
      throw new Error(`${member.key} did not sign it`);
    }
    return { ...request, ...(link && { link: openGrant(verify, encoded, link) }) };
  });
}

/** The file of a request that was opened, with what the cloud grants its gateway. `cloud`: with its key for the site. */
export function linkRequest(cloud: Signer, file: Uint8Array, link: LinkGrant): Uint8Array {
  const { request, signature } = SignedRequest.decode(file);
  const grant = LinkGrant.encode(link);
  const signed = { grant, signature: cloud.sign(concatBytes(GRANT_DOMAIN, request, grant)) };
  return SignedRequest.encode({ request, signature, link: signed });
}

function openGrant(verify: VerifySignature, request: Uint8Array, { grant, signature }: SignedGrant): LinkGrant {
  const link = LinkGrant.decode(grant);
  if (verify(link.cloudKey, concatBytes(GRANT_DOMAIN, request, grant), signature)) return link;
  throw new Error('the cloud that it names did not sign the link');
}

/** What a gateway is admitted with. */
export interface Admitting {
  readonly key: string;
  readonly roster: SignedRoster;
  readonly secrets: MemberSecrets;
  readonly link?: LinkGrant | undefined;
}

/** As a file, for the gateway with this key. Throws ERR_MESH_REQUEST_INVALID for a key that nothing can be sealed to. */
export function signAdmission(
  authority: Signer,
  random: Random,
  { key, roster, secrets, link }: Admitting,
): Uint8Array {
  const sealed = saying('ERR_MESH_REQUEST_INVALID', () => seal(hexToBytes(key), random, MemberSecrets.encode(secrets)));
  const content = { key, authority: authority.publicKey, roster, secrets: sealed, ...(link && { link }) };
  const admission = Admission.encode(content);
  return SignedAdmission.encode({ admission, signature: authority.sign(concatBytes(ADMISSION_DOMAIN, admission)) });
}

/** What a gateway takes out of its admission. */
export interface OpenAdmission extends MemberSecrets {
  /** Ed25519 public key, 32 bytes. */
  readonly authority: Uint8Array;
  readonly signed: SignedRoster;
  readonly roster: Roster;
  readonly link?: LinkGrant;
}

/**
 * `seed`: of the gateway's key. That the authority is the right one is for a person to know, where it is the first.
 * Throws ERR_MESH_ADMISSION_INVALID.
 */
export function openAdmission(
  verify: VerifySignature,
  gateway: { readonly key: string; readonly seed: Uint8Array },
  file: Uint8Array,
): OpenAdmission {
  return saying('ERR_MESH_ADMISSION_INVALID', () => {
    const { admission, signature } = SignedAdmission.decode(file);
    const { key, authority, roster: signed, secrets: sealed, link } = Admission.decode(admission);
    if (!verify(authority, concatBytes(ADMISSION_DOMAIN, admission), signature)) {
      throw new Error('the authority that it names did not sign it');
    }
    if (key !== gateway.key) throw new Error(`it is for the gateway ${key}, and this is ${gateway.key}`);
    const roster = openRoster(verify, authority, signed);
    if (!roster.members.some((member) => member.key === key)) throw new Error('its roster does not name this gateway');
    const secrets = unseal(gateway.seed, sealed);
    if (secrets === undefined) throw new Error('its secrets are not sealed to this gateway');
    return { authority, ...MemberSecrets.decode(secrets), signed, roster, ...(link && { link }) };
  });
}

/** One code for whatever is wrong with a file that somebody carried here. */
function saying<T>(code: ErrorCode, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const { message } = cause as Error;
    const isUnread = isSparcError(cause) && cause.code === 'ERR_LEDGER_MALFORMED';
    throw new SparcError(code, isUnread ? `it does not read as such a file: ${message}` : message, {}, { cause });
  }
}
