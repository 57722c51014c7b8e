import { nodePartTools } from '@sparc/edge/policy-parts';
import { isSparcError } from '@sparc/protocol/errors';
import type {
  AccessProfile,
  CredentialHolder,
  HashedCredential,
  PolicyContent,
  SitePlan,
} from '@sparc/protocol/policy';
import { cutRevision, readRevision, type PolicyRevision } from '@sparc/protocol/policy-revision';
import type { Part } from '@sparc/protocol/ports';

export const PLAN: SitePlan = {
  site: { id: 'harbour', name: 'Harbour', timeZone: 'Europe/Berlin' },
  cardFormats: [{ format: 'h10301' }, { format: 'h10306', facilityCodes: [7] }],
  devices: [{ id: 'reader', bus: 'bus', address: 1, secureChannel: 'required', side: 'unsecured' }],
  readers: [{ id: 'reader', device: 'reader', number: 0 }],
  inputs: [],
  outputs: [],
  areas: [{ id: 'house', name: 'House' }],
  doors: [],
  accessPoints: [],
  specialDayGroups: [],
  schedules: [{ id: 'day', name: 'Day', weekly: [{ days: ['mo'], from: '08:00', to: '18:00' }] }],
  linkageRules: [],
  absorbedDirectives: [{ id: 'ab'.repeat(16), subject: 'credential', subjectId: 'p000001' }],
};

export const holder = (id: string, name = `Holder ${id}`): CredentialHolder => ({ id, name, status: 'active' });
export const credential = (id: string): HashedCredential => ({
  id,
  holder: id,
  status: 'active',
  identifiers: [{ bits: 56, value: '04a2b3c4d5e680' }],
  pinHash: 'A'.repeat(43),
  accessProfiles: ['staff'],
});
export const profile = (id: string): AccessProfile => ({ id, name: id, policies: [] });

export const contentWith = (people: Partial<PolicyContent> = {}): PolicyContent => ({
  plan: PLAN,
  emergencyCredentials: [
    { credentialId: 'chief', holderId: 'chief', identifierKeys: ['bits:56:04'], accessPointIds: ['front'] },
  ],
  profiles: [profile('staff')],
  holders: [],
  credentials: [],
  ...people,
});

/** Ids of people, in order. */
export const ids = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `p${String(index).padStart(6, '0')}`);

/** A revision, and its parts as whoever has them all holds them. */
export interface Cut {
  readonly revision: PolicyRevision;
  readonly parts: ReadonlyMap<string, Uint8Array>;
}

export function cut(content: PolicyContent, number = 1): Cut {
  const parts = new Map<string, Uint8Array>();
  const revision = cutRevision(nodePartTools, { number, content }, (part: Part) => parts.set(part.hash, part.content));
  return { revision, parts };
}

/** Everything in it, people too. */
export function readWhole({ revision, parts }: Cut) {
  const { plan, emergencyCredentials, ...people } = readRevision(nodePartTools, revision, parts);
  const [profiles, holders, credentials] = [[...people.profiles], [...people.holders], [...people.credentials]];
  return { plan, emergencyCredentials, profiles, holders, credentials };
}

/** The code that reading it ends with. */
export function codeOf(work: () => unknown): string {
  try {
    work();
    return 'taken';
  } catch (error) {
    if (isSparcError(error)) return error.code;
    throw error;
  }
}
