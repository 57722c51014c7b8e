import type { Member, Roster } from '@sparc/protocol/roster';
import { testSigner } from './test-signer.js';

/** Of `testSigner(seed)`, in hex. */
export const keyOf = (seed: number): string => Buffer.from(testSigner(seed).publicKey).toString('hex');

/** The gateway with the key of `testSigner(seed)`. */
export const member = (seed: number): Member => ({
  key: keyOf(seed),
  name: `gateway-${seed}`,
  addresses: [`10.0.0.${seed}:7400`],
});

export const rosterWith = (members: readonly Member[], rest: Partial<Roster> = {}): Roster => ({
  site: 'harbour',
  epoch: 1,
  issuedUnixMs: 1_790_000_000_000,
  notAfterUnixMs: 1_800_000_000_000,
  members,
  expelled: [],
  ...rest,
});
