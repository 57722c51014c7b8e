import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cardFormat, encodeCard } from '@sparc/protocol/card-format';
import type {
  AccessProfile,
  CredentialHolder,
  HashedCredential,
  PolicyContent,
  SiteFile,
} from '@sparc/protocol/policy';
import { sitePlanOf } from '@sparc/protocol/site-check';
import { nodeRandom } from '@sparc/edge/platform';
import { applyGeneration } from '@sparc/edge/policy';
import { systemClock } from '../support/system-clock.js';

export const ACCESS_POINTS_COUNT = 16;
const PROFILES_COUNT = 20;
const PROFILE_POINTS_COUNT = 4;
/** Wednesday, 12:00 in the zone of the site: every day schedule is open. */
export const NOON_UNIX_MS = Date.parse('2026-03-04T11:00:00Z');

/**
 * `every`: a rule for all that can be kept for everybody. `peers`: rights, hours and validity, which is what casbin and
 * Cedar are given.
 */
export type Rules = 'every' | 'peers';

/** Around all access points. */
export const AREA_ID = 'house';

export const accessPointId = (index: number): string => `point-${index}`;
/** Ids of people are in the order of their numbers, as a policy wants them. */
const numbered = (what: string, index: number): string => `${what}-${String(index).padStart(7, '0')}`;
export const profileId = (index: number): string => numbered('profile', index);
export const credentialId = (index: number): string => numbered('credential', index);
export const isNightProfile = (profile: number): boolean => profile % 5 === 4;
/** Every tenth credential has run out. */
export const isExpired = (credential: number): boolean => credential % 10 === 9;

/** Access points of a profile; each access point is in five of the twenty. */
export const pointsOf = (profile: number): number[] =>
  Array.from({ length: PROFILE_POINTS_COUNT }, (_, i) => (profile * 3 + i * 5) % ACCESS_POINTS_COUNT);

export const profilesOf = (credential: number): [number, number] => [
  credential % PROFILES_COUNT,
  (credential * 7 + 3) % PROFILES_COUNT,
];

export const PROFILES: readonly AccessProfile[] = Array.from({ length: PROFILES_COUNT }, (_, profile) => ({
  id: profileId(profile),
  name: profileId(profile),
  policies: [...new Set(pointsOf(profile))].map((point) => ({
    accessPoint: accessPointId(point),
    schedule: isNightProfile(profile) ? 'night' : 'day',
  })),
}));

const holderId = (index: number): string => numbered('holder', index);

const holder = (index: number): CredentialHolder => ({
  id: holderId(index),
  name: `Holder ${index}`,
  status: 'active',
  clearance: 1,
});

const credential = (index: number, rules: Rules): HashedCredential => ({
  id: credentialId(index),
  holder: holderId(index),
  status: 'active',
  identifiers: [{ format: 'h10306', facility: index >> 16, number: index & 0xffff }],
  validTo: isExpired(index) ? '2025-12-31' : '2027-12-31',
  accessProfiles: [...new Set(profilesOf(index))].map(profileId),
  ...(rules === 'every' && { usesMax: 100_000 }),
});

const FORMAT = cardFormat('h10306');

/** The card of a credential: 34 bits, left-justified. */
export function cardOf(index: number): { bits: Uint8Array; bitCount: number } {
  if (!FORMAT) throw new Error('h10306 is in the registry');
  const bits = encodeCard(FORMAT, { facility: index >> 16, number: String(index & 0xffff) });
  return { bits, bitCount: FORMAT.bitCount };
}

/** The site without its people. */
function emptySite(rules: Rules): SiteFile {
  const points = Array.from({ length: ACCESS_POINTS_COUNT }, (_, index) => index);
  return {
    version: 1,
    site: {
      id: 'bench',
      name: 'Bench',
      timeZone: 'Europe/Berlin',
      ...(rules === 'every' && {
        minimumClearance: [0, 1, 2],
        policyStaleness: { maxAgeMs: 604_800_000, then: 'deny' as const },
      }),
    },
    cardFormats: [{ format: 'h10301' }, { format: 'h10306' }],
    devices: points.flatMap((i) => [
      { id: `reader-${i}`, bus: 'bus', address: i, secureChannel: 'required' as const, side: 'unsecured' as const },
      { id: `io-${i}`, bus: 'bus', address: 64 + i, secureChannel: 'required' as const, side: 'secured' as const },
    ]),
    readers: points.map((i) => ({ id: `reader-${i}`, device: `reader-${i}`, number: 0 })),
    inputs: [],
    outputs: points.map((i) => ({ id: `lock-${i}`, device: `io-${i}`, number: 0 })),
    areas: [
      { id: AREA_ID, name: 'House', antiPassback: { mode: 'hard', unknown: 'failSecure' }, occupancyMax: 100_000 },
    ],
    doors: points.map((i) => ({
      id: `door-${i}`,
      name: `Door ${i}`,
      lock: { output: `lock-${i}`, type: 'failSecure' as const },
      contact: null,
      onGatewayLoss: 'relock' as const,
    })),
    accessPoints: points.map((i) => ({
      id: accessPointId(i),
      name: accessPointId(i),
      door: `door-${i}`,
      reader: `reader-${i}`,
      direction: 'entry' as const,
      authentication: 'card' as const,
      ...(rules === 'every' && { areaTo: AREA_ID, reuseDelayMs: 1_000 }),
      onRecordFailure: 'deny' as const,
    })),
    schedules: [
      { id: 'day', name: 'Day', weekly: [{ days: ['mo', 'tu', 'we', 'th', 'fr'], from: '08:00', to: '18:00' }] },
      { id: 'night', name: 'Night', weekly: [{ days: ['mo', 'tu', 'we', 'th', 'fr'], from: '22:00', to: '06:00' }] },
    ],
    accessProfiles: [...PROFILES],
    credentialHolders: [],
    credentials: [],
  };
}

/** The policy of so many credentials, each of a holder of its own, as a stream. */
export const contentOf = (credentialsCount: number, rules: Rules = 'every'): PolicyContent => ({
  plan: sitePlanOf(emptySite(rules)),
  emergencyCredentials: [],
  profiles: PROFILES,
  holders: each(credentialsCount, holder),
  credentials: each(credentialsCount, (index) => credential(index, rules)),
});

function* each<T>(count: number, make: (index: number) => T): Iterable<T> {
  for (let index = 0; index < count; index++) yield make(index);
}

/** Key file beside the policy, for the process that verifies it. */
const KEY_FILE_NAME = 'bench-public-key.pem';

/** Brings a signed generation of so many credentials into force in a data directory. */
export function buildDataDir(dataDir: string, credentialsCount: number, rules: Rules = 'every'): void {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(dataDir, KEY_FILE_NAME), publicKey.export({ type: 'spki', format: 'pem' }));
  applyGeneration(
    {
      dataDir,
      signer: {
        publicKey: publicKey.export({ type: 'spki', format: 'der' }).subarray(-32),
        sign: (message) => sign(null, message, privateKey),
      },
      verify: (message, signature) => verify(null, message, publicKey, signature),
      random: nodeRandom,
      clock: systemClock,
    },
    contentOf(credentialsCount, rules),
  );
}

export const publicKeyOf = (dataDir: string): string => readFileSync(join(dataDir, KEY_FILE_NAME), 'utf8');

export interface Presentation {
  readonly credential: number;
  readonly point: number;
}

/** Which credential is shown where: spread over the whole population, and the same in every process. */
export function presentation(index: number, credentialsCount: number): Presentation {
  const hash = createHash('sha256').update(String(index)).digest();
  return { credential: hash.readUInt32BE(0) % credentialsCount, point: hash.readUInt32BE(4) % ACCESS_POINTS_COUNT };
}

/** One character for each of the first presentations: 1 granted, 0 denied. To compare engines. */
export const answers = (count: number, isGranted: (index: number) => boolean): string =>
  Array.from({ length: count }, (_, index) => (isGranted(index) ? '1' : '0')).join('');

/** Presentations of which every engine tells its answers. */
export const ANSWERS_COUNT = 2_000;
