import { RECEIVE_SIZE_MIN } from './frame.js';
import type { Reply } from './replies.js';

/** Function codes of PDCAP (SIA OSDP v2.2, Annex B). Others are skipped: counts are hints, never limits to trust. */
export const CAPABILITY = {
  contactStatus: 1,
  outputControl: 2,
  cardDataFormat: 3,
  readerLed: 4,
  audibleOutput: 5,
  textOutput: 6,
  timeKeeping: 7,
  checkCharacter: 8,
  security: 9,
  receiveSize: 10,
  combinedSize: 11,
  smartCard: 12,
  readers: 13,
  biometrics: 14,
  securePinEntry: 15,
  osdpVersion: 16,
  extendedId: 17,
} as const;

export type Capability = Extract<Reply, { name: 'PDCAP' }>['capabilities'][number];

/** The compliance level of a function; 0 where the PD does not list it. */
export const complianceOf = (capabilities: readonly Capability[], code: number): number =>
  capabilities.find((entry) => entry.function === code)?.compliance ?? 0;

/** True where a PD with these capabilities checks frames by CRC, not by checksum alone. */
export const knowsCrc = (capabilities: readonly Capability[]): boolean =>
  complianceOf(capabilities, CAPABILITY.checkCharacter) > 0;

/** True where a PD says that it knows Secure Channel (AES-128). */
export const knowsSecureChannel = (capabilities: readonly Capability[]): boolean =>
  capabilities.some((entry) => entry.function === CAPABILITY.security && (entry.compliance & 1) === 1);

/** Longest frame that a PD with these capabilities takes, in bytes; never below what every PD must take. */
export function receiveSize(capabilities: readonly Capability[]): number {
  const found = capabilities.find((entry) => entry.function === CAPABILITY.receiveSize);
  return found === undefined ? RECEIVE_SIZE_MIN : Math.max(RECEIVE_SIZE_MIN, found.compliance + 256 * found.count);
}
