import t from 'tap';
import {
  assertDelegation,
  isNewerSecret,
  MEMBERS_MAX,
  SealedSiteSecret,
  sealSiteSecret,
  unsealSiteSecret,
  type Delegation,
} from '@sparc/protocol/roster';
import { BODY_BYTES_MAX } from '@sparc/protocol/ledger';
import { isSparcError } from '@sparc/protocol/errors';
import { SeededRandom } from '@sparc/simulator/world';
import { keyOf } from '../../support/roster.js';

const SECRET = { number: 3, issuedUnixMs: 1_790_000_000_000, secret: new Uint8Array(32).fill(0x5e) };
const gateway = (seed: number) => ({ key: keyOf(seed), seed: new Uint8Array(32).fill(seed) });

t.test('a new site secret opens for each gateway that it is sealed to, and for nobody else', async (t) => {
  const body = SealedSiteSecret.encode(sealSiteSecret(new SeededRandom(1), SECRET, [keyOf(1), keyOf(2)]));
  t.notOk(Buffer.from(body).includes(Buffer.from(SECRET.secret)));
  const sealed = SealedSiteSecret.decode(body);
  t.strictSame(unsealSiteSecret(gateway(1), sealed), SECRET);
  t.strictSame(unsealSiteSecret(gateway(2), sealed), SECRET);
  t.equal(unsealSiteSecret(gateway(3), sealed), undefined);
  t.equal(unsealSiteSecret({ key: keyOf(1), seed: gateway(3).seed }, sealed), undefined);
});

t.test('a secret for the largest site fits into an entry', async (t) => {
  const keys = Array.from({ length: MEMBERS_MAX + 1 }, (_, index) => keyOf(index + 1));
  t.ok(SealedSiteSecret.encode(sealSiteSecret(new SeededRandom(1), SECRET, keys)).length < BODY_BYTES_MAX);
});

t.test('of two secrets the one with the higher number is newer, and of one number the one issued later', async (t) => {
  t.ok(isNewerSecret({ ...SECRET, number: 4, issuedUnixMs: 0 }, SECRET));
  t.ok(isNewerSecret({ ...SECRET, issuedUnixMs: SECRET.issuedUnixMs + 1 }, SECRET));
  t.notOk(isNewerSecret(SECRET, SECRET));
});

t.test('a delegation that is incomplete or contradicts itself is not signed', async (t) => {
  const right: Delegation = {
    operator: keyOf(9),
    name: 'Ada',
    rights: ['revoke', 'mode'],
    scope: ['lab', 'lab-door'],
    issuedUnixMs: 10,
    notAfterUnixMs: 20,
  };
  assertDelegation(right);
  const wrong: Record<string, Partial<Delegation>> = {
    'a key that is none': { operator: 'Ada' },
    'no name': { name: '' },
    'a name that moves the cursor': { name: 'Ada\u001b[2J' },
    'a right that is none': { rights: ['revoke', 'everything'] },
    'a right by the name of what every object has': { rights: ['constructor'] },
    'a scope that is no id': { scope: ['lab', 'Lab door'] },
    'an end before its beginning': { notAfterUnixMs: 9 },
  };
  for (const [what, change] of Object.entries(wrong)) {
    try {
      assertDelegation({ ...right, ...change });
      t.fail(what);
    } catch (error) {
      t.ok(isSparcError(error, 'ERR_MESH_DELEGATION_INVALID'), what);
    }
  }
});
