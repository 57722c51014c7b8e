import type {
  AccessPoint,
  Area,
  CredentialHolder,
  OnUnknownClock,
  PolicyStaleness,
  RightBesideEntry,
  Schedule,
  SpecialDayGroup,
} from '@sparc/protocol/policy';

/** A credential as the store keeps it: validity already resolved to instants in the site zone, end exclusive. */
export interface CredentialRecord {
  readonly id: string;
  readonly holderId: string;
  readonly holderStatus: CredentialHolder['status'];
  readonly status: 'active' | 'lost' | 'stolen' | 'damaged' | 'blocked' | 'inactive' | 'destroyed';
  readonly validFromUnixMs?: number;
  /** Exclusive. */
  readonly validToUnixMs?: number;
  /** Issue the site knows for the presented identifier, where the format carries one. */
  readonly issue?: number;
  readonly hasPin: boolean;
  /** Opens access points that are disabled or locked down. */
  readonly override?: boolean;
  /** Passages it is good for; absent: any number. */
  readonly usesMax?: number;
  /** Doors stay released and may stay open for their extended time. */
  readonly extendedTime?: boolean;
  /** Of the holder; absent: 0. */
  readonly clearance?: number;
  /** The holder is a visitor. */
  readonly escortRequired?: boolean;
}

/** One way in: a profile of the credential that names the access point, and the schedule under which it does. */
export interface Right {
  readonly profileId: string;
  readonly scheduleId: string;
  readonly may?: readonly RightBesideEntry[];
}

/**
 * One immutable policy revision, as the decision asks it. Answers come from prepared statements on indexed tables,
 * so a view costs little memory whatever the population. All methods are synchronous and never throw on unknown ids.
 */
export interface PolicyView {
  /** Names the revision in every record. */
  readonly revision: string;
  readonly siteId: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Schedules are evaluated on an `unsynced` clock too; otherwise only rights that are always open count then. */
  readonly trustUnsyncedClock?: boolean;
  /** Of access points that do not say it themselves. Absent: `alwaysOnly`. */
  readonly onUnknownClock?: OnUnknownClock;
  /** Of access points that do not say it themselves. Absent: a policy counts however old it is. */
  readonly policyStaleness?: PolicyStaleness;
  /** By threat level, of access points that do not say it themselves. Absent: none is asked. */
  readonly minimumClearance?: readonly number[];
  /** Card formats in the order of trial. */
  readonly cardFormats: readonly { readonly format: string; readonly facilityCodes?: readonly number[] }[];
  accessPoint(id: string): AccessPoint | undefined;
  area(id: string): Area | undefined;
  schedule(id: string): Schedule | undefined;
  specialDayGroup(id: string): SpecialDayGroup | undefined;
  /** `key` as `identifierKey()` of `@sparc/protocol/card-format` makes it, for a decoded or a raw identifier. */
  credentialByIdentifier(key: string): CredentialRecord | undefined;
  credential(id: string): CredentialRecord | undefined;
  /** The card of a credential, by its first identifier, to try what a presentation would give. Throws as `cardOfKey`. */
  cardOf(credentialId: string): { readonly bitCount: number; readonly bits: Uint8Array } | undefined;
  /** Whose PIN it is, or PIN for duress, where some access point of the credential takes a PIN alone. */
  credentialByPin(pin: string): CredentialRecord | undefined;
  rights(credentialId: string, accessPointId: string): readonly Right[];
  /** Of everybody who has the profile; none where there is no such profile. */
  profileRights(profileId: string, accessPointId: string): readonly Right[];
  /** Whether any credential has a limit of uses. */
  readonly hasUseLimits: boolean;
  /** Passages that the credential is good for; undefined: any number. */
  usesMax(credentialId: string): number | undefined;
  /** Whether the revision has it, in force or not. */
  has(kind: 'credential' | 'holder', id: string): boolean;
  /** Compares keyed hashes in constant time, with the PIN for duress as well. */
  comparePin(credentialId: string, pin: string): 'right' | 'wrong' | 'duress';
}
