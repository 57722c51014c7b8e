import { cardOfKey, type ActiveFormat } from '@sparc/protocol/card-format';
import type {
  AccessPoint,
  Area,
  OnUnknownClock,
  PolicyStaleness,
  Schedule,
  SpecialDayGroup,
} from '@sparc/protocol/policy';
import type { CredentialRecord, PolicyView, Right } from '@sparc/edge/access';

export interface MemoryCredential extends CredentialRecord {
  /** As `identifierKey()` makes them. */
  readonly keys: readonly string[];
  /** Schedule by access point. */
  readonly rights: Readonly<Record<string, string>>;
  /** What its rights carry beside entry, by access point. */
  readonly may?: Readonly<Record<string, NonNullable<Right['may']>>>;
  readonly pin?: string;
  readonly duressPin?: string;
}

export interface MemoryPolicy {
  readonly revision?: string;
  readonly timeZone?: string;
  readonly trustUnsyncedClock?: boolean;
  readonly onUnknownClock?: OnUnknownClock;
  readonly policyStaleness?: PolicyStaleness;
  readonly minimumClearance?: readonly number[];
  readonly cardFormats?: readonly ActiveFormat[];
  readonly accessPoints: readonly AccessPoint[];
  readonly areas?: readonly Area[];
  readonly schedules?: readonly Schedule[];
  readonly specialDayGroups?: readonly SpecialDayGroup[];
  readonly credentials: readonly MemoryCredential[];
  /** Schedule by access point, by profile. */
  readonly profiles?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A policy view over plain values, for tests of what asks it. */
export class MemoryPolicyView implements PolicyView {
  readonly siteId = 'site';
  readonly revision: string;
  readonly timeZone: string;
  readonly trustUnsyncedClock: boolean;
  readonly onUnknownClock?: OnUnknownClock;
  readonly policyStaleness?: PolicyStaleness;
  readonly minimumClearance?: readonly number[];
  readonly cardFormats: PolicyView['cardFormats'];

  constructor(private readonly policy: MemoryPolicy) {
    this.revision = policy.revision ?? 'r1';
    this.timeZone = policy.timeZone ?? 'UTC';
    this.trustUnsyncedClock = policy.trustUnsyncedClock ?? false;
    if (policy.onUnknownClock !== undefined) this.onUnknownClock = policy.onUnknownClock;
    if (policy.minimumClearance !== undefined) this.minimumClearance = policy.minimumClearance;
    if (policy.policyStaleness !== undefined) this.policyStaleness = policy.policyStaleness;
    this.cardFormats = (policy.cardFormats ?? [{ format: 'h10301' }]) as PolicyView['cardFormats'];
  }

  accessPoint(id: string): AccessPoint | undefined {
    return this.policy.accessPoints.find((point) => point.id === id);
  }

  area(id: string): Area | undefined {
    return this.policy.areas?.find((area) => area.id === id);
  }

  schedule(id: string): Schedule | undefined {
    return this.policy.schedules?.find((schedule) => schedule.id === id);
  }

  specialDayGroup(id: string): SpecialDayGroup | undefined {
    return this.policy.specialDayGroups?.find((group) => group.id === id);
  }

  credentialByIdentifier(key: string): CredentialRecord | undefined {
    return this.policy.credentials.find((credential) => credential.keys.includes(key));
  }

  credential(id: string): CredentialRecord | undefined {
    return this.#credential(id);
  }

  cardOf(credentialId: string): ReturnType<PolicyView['cardOf']> {
    const { keys: [key] = [], issue } = this.#credential(credentialId) ?? {};
    return key === undefined ? undefined : cardOfKey(key, issue);
  }

  credentialByPin(pin: string): CredentialRecord | undefined {
    return this.policy.credentials.find((each) => [each.pin, each.duressPin].includes(pin));
  }

  rights(credentialId: string, accessPointId: string): readonly Right[] {
    const { rights = {}, may = {} } = this.#credential(credentialId) ?? {};
    const [scheduleId, beside] = [rights[accessPointId], may[accessPointId]];
    if (scheduleId === undefined) return [];
    return [{ profileId: 'profile', scheduleId, ...(beside !== undefined && { may: beside }) }];
  }

  profileRights(profileId: string, accessPointId: string): readonly Right[] {
    const scheduleId = this.policy.profiles?.[profileId]?.[accessPointId];
    return scheduleId === undefined ? [] : [{ profileId, scheduleId }];
  }

  get hasUseLimits(): boolean {
    return this.policy.credentials.some(({ usesMax }) => usesMax !== undefined);
  }

  usesMax(credentialId: string): number | undefined {
    return this.#credential(credentialId)?.usesMax;
  }

  has(kind: 'credential' | 'holder', id: string): boolean {
    return this.policy.credentials.some((each) => (kind === 'credential' ? each.id : each.holderId) === id);
  }

  comparePin(credentialId: string, pin: string): 'right' | 'wrong' | 'duress' {
    const credential = this.#credential(credentialId);
    if (credential?.pin === pin) return 'right';
    return credential?.duressPin === pin ? 'duress' : 'wrong';
  }

  #credential(id: string): MemoryCredential | undefined {
    return this.policy.credentials.find((credential) => credential.id === id);
  }
}
