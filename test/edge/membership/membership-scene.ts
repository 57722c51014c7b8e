import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { joinSite, Membership, readMembership } from '@sparc/edge/membership';
import { loadIdentity, verifySignature } from '@sparc/edge/platform';
import { isSparcError } from '@sparc/protocol/errors';
import {
  signAdmission,
  signRoster,
  type Member,
  type Roster,
  type SignedRoster,
  type SiteSecret,
} from '@sparc/protocol/roster';
import { SeededRandom } from '@sparc/simulator/world';
import { member, rosterWith } from '../../support/roster.js';
import { testSigner } from '../../support/test-signer.js';

export const AUTHORITY = testSigner(200);
export const SITE_SECRET = new Uint8Array(32).fill(0x5e);
export const PIN_KEY = new Uint8Array(32).fill(0x91);
export const START = Date.parse('2026-03-02T08:00:00Z');

export const secretOf = (number: number, fill = number): SiteSecret => ({
  number,
  issuedUnixMs: START,
  secret: new Uint8Array(32).fill(fill),
});

/** A data directory with a key of its own, and an authority that admits it. */
export function membershipScene(t: Test) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sparc-membership-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const key = Buffer.from(loadIdentity(dataDir).publicKey).toString('hex');
  const self: Member = { key, name: 'self', addresses: [] };
  const signed = (rest: Partial<Roster> = {}): SignedRoster =>
    signRoster(AUTHORITY, rosterWith([self, member(1)], { epoch: 4, ...rest }));
  const admission = (
    roster: SignedRoster = signed(),
    {
      authority = AUTHORITY,
      siteSecret = secretOf(1, 0x5e),
      previousSecrets = [] as readonly Uint8Array[],
      forKey = key,
    } = {},
  ) =>
    signAdmission(authority, new SeededRandom(1), {
      key: forKey,
      roster,
      secrets: { siteSecret, previousSecrets, pinKey: PIN_KEY },
    });
  const joins = (file = admission(), policySite?: string) =>
    joinSite(dataDir, verifySignature, policySite, file, START);
  const failures: unknown[] = [];
  const open = (): Membership | undefined => {
    const record = readMembership(dataDir, verifySignature);
    return record && new Membership(dataDir, verifySignature, record, (error) => void failures.push(error));
  };
  const opened = (): Membership => {
    const membership = open();
    if (membership === undefined) throw new Error('the gateway is no member');
    return membership;
  };
  return { dataDir, key, self, signed, admission, joins, open, opened, failures };
}

/** The code that it ends with. */
export function codeOf(work: () => unknown): string {
  try {
    work();
    return 'done';
  } catch (error) {
    if (isSparcError(error)) return error.code;
    throw error;
  }
}
