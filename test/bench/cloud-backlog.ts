import type { EventRecord } from '@sparc/protocol/events';
import type { LogCommit, Signer } from '@sparc/protocol/ports';
import { TestChain } from '../support/test-chain.js';
import { testSigner } from '../support/test-signer.js';

/** Entries that a gateway signed together, as under load; a card is one commit of about four. */
const COMMIT_ENTRIES = 16;

/** As a door records it, and with what it says about the card. */
const grant = (at: number): EventRecord => ({
  name: 'access.granted',
  accessPointId: 'front-in',
  doorId: 'front',
  deviceId: 'front-reader',
  credentialId: `c-${String(at % 5_000).padStart(6, '0')}`,
  holderId: `h-${String(at % 5_000).padStart(6, '0')}`,
  card: { bitCount: 26, bits: new Uint8Array(4), formatId: 'h10301', facility: 12, cardNumber: String(at % 5_000) },
  inputs: {
    atUnixMs: 1_767_600_000_000 + at,
    timeQuality: 'synced',
    policyRevision: 'r1',
    direction: 'entry',
    linkSecure: true,
    linkTampered: false,
    readAgeMs: 41.5,
    pin: 'none',
    lockedOut: false,
  },
});

/** What a gateway recorded while it was alone. */
export interface Backlog {
  readonly signer: Signer;
  readonly commits: readonly LogCommit[];
}

/** So many gateways with so many entries each, all of the last hours. `seed`: others than those of another. */
export function backlogs(gatewaysCount: number, entriesEach: number, seed = 0): Backlog[] {
  return Array.from({ length: gatewaysCount }, (_, index) => {
    const signer = testSigner(seed + index + 1);
    const chain = new TestChain(signer, Date.now() - entriesEach);
    const commits = [chain.open(1)];
    for (let at = 1; at < entriesEach; at += COMMIT_ENTRIES) {
      const count = Math.min(COMMIT_ENTRIES, entriesEach - at);
      commits.push(chain.add(...Array.from({ length: count }, (_, more) => grant(at + more))));
    }
    return { signer, commits };
  });
}
