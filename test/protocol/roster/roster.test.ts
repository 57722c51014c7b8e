import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import t from 'tap';
import { verifySignature } from '@sparc/edge/platform';
import { isSparcError } from '@sparc/protocol/errors';
import type { SignedHead } from '@sparc/protocol/ledger';
import {
  ADDRESSES_MAX,
  isNewer,
  MEMBERS_MAX,
  openRoster,
  Roster,
  ROSTER_BYTES_MAX,
  rosterOf,
  SignedRoster,
  signRoster,
  type Member,
} from '@sparc/protocol/roster';
import { keyOf, member, rosterWith } from '../../support/roster.js';
import { testSigner } from '../../support/test-signer.js';

const AUTHORITY = testSigner(200);
const open = (signed: SignedRoster, authority = AUTHORITY.publicKey) => openRoster(verifySignature, authority, signed);
const refused = (work: () => unknown): string => {
  try {
    work();
    return 'taken';
  } catch (error) {
    if (isSparcError(error)) return error.code;
    throw error;
  }
};

/** As an authority could sign it that does not look at what it signs. */
const signedBlindly = (roster: Roster): SignedRoster => {
  const encoded = Roster.encode(roster);
  return { roster: encoded, signature: AUTHORITY.sign(concatBytes(utf8ToBytes('sparc/roster/1\0'), encoded)) };
};

t.test('a roster says what the authority signed', async (t) => {
  const roster = rosterWith([member(1), member(2)], { epoch: 7 });
  t.strictSame(open(SignedRoster.decode(SignedRoster.encode(signRoster(AUTHORITY, roster)))), roster);
});

t.test('a roster in which any bit is another is refused', async (t) => {
  const { roster, signature } = signRoster(AUTHORITY, rosterWith([member(1)]));
  const flipped = (bytes: Uint8Array, bit: number) =>
    bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
  for (let bit = 0; bit < roster.length * 8; bit++) {
    const outcome = refused(() => open({ roster: flipped(roster, bit), signature }));
    if (outcome !== 'ERR_MESH_ROSTER_INVALID') t.fail(`bit ${bit} of the roster: ${outcome}`);
  }
  for (let bit = 0; bit < 512; bit++) {
    const outcome = refused(() => open({ roster, signature: flipped(signature, bit) }));
    if (outcome !== 'ERR_MESH_ROSTER_INVALID') t.fail(`bit ${bit} of the signature: ${outcome}`);
  }
  t.pass();
});

t.test('a roster of another authority, or signed as something else, is refused', async (t) => {
  const signed = signRoster(AUTHORITY, rosterWith([member(1)]));
  t.equal(
    refused(() => open(signed, testSigner(201).publicKey)),
    'ERR_MESH_ROSTER_INVALID',
  );
  const bare = { roster: signed.roster, signature: AUTHORITY.sign(signed.roster) };
  t.equal(
    refused(() => open(bare)),
    'ERR_MESH_ROSTER_INVALID',
  );
});

t.test('bytes that are signed and no roster are malformed', async (t) => {
  const encoded = Uint8Array.of(0x0a, 0x7f, 0x01);
  const signature = AUTHORITY.sign(concatBytes(utf8ToBytes('sparc/roster/1\0'), encoded));
  t.equal(
    refused(() => open({ roster: encoded, signature })),
    'ERR_LEDGER_MALFORMED',
  );
});

/** The end of an epoch, not really signed. */
const headOf = (seed: number, sequence: number): SignedHead => ({
  site: 'harbour',
  author: testSigner(seed).publicKey,
  epoch: { counter: 1, random: new Uint8Array(8) },
  sequence,
  hash: new Uint8Array(32),
  signature: new Uint8Array(64),
});

t.test('a roster that contradicts itself is neither signed nor taken', async (t) => {
  const of = (change: Partial<Member>) => rosterWith([{ ...member(1), ...change }]);
  const wrong: Record<string, Roster> = {
    'one key twice': rosterWith([member(1), { ...member(2), key: keyOf(1) }]),
    'a member that is expelled': rosterWith([member(1)], { expelled: [{ key: keyOf(1), name: 'gate', heads: [] }] }),
    'one expelled key twice': rosterWith([], {
      expelled: [
        { key: keyOf(1), name: 'gate', heads: [] },
        { key: keyOf(1), name: 'gate', heads: [] },
      ],
    }),
    'a head that another gateway signed': rosterWith([], {
      expelled: [{ key: keyOf(1), name: 'gate', heads: [headOf(2, 1)] }],
    }),
    'two ends of one epoch': rosterWith([], {
      expelled: [{ key: keyOf(1), name: 'gate', heads: [headOf(1, 1), headOf(1, 2)] }],
    }),
    'no name': of({ name: '' }),
    'a name that moves the cursor': of({ name: 'hall\u001b[2J' }),
    'an address without a port': of({ addresses: ['10.0.0.5'] }),
    'a port that is none': of({ addresses: ['10.0.0.5:65536'] }),
    'an address with spaces': of({ addresses: ['10.0.0.5 :7400'] }),
    'an address of a URL': of({ addresses: ['http://10.0.0.5:7400'] }),
  };
  for (const [what, roster] of Object.entries(wrong)) {
    t.equal(
      refused(() => signRoster(AUTHORITY, roster)),
      'ERR_MESH_ROSTER_INVALID',
      `${what}: signing`,
    );
    t.equal(
      refused(() => open(signedBlindly(roster))),
      'ERR_MESH_ROSTER_INVALID',
      `${what}: opening`,
    );
  }
  const right = of({ name: 'Halle über dem Tor', addresses: ['10.0.0.5:1', '[fe80::1]:65535', 'gate-2.local:7400'] });
  t.strictSame(open(signRoster(AUTHORITY, right)), right);
});

t.test('the largest roster of members has room in an entry, and a larger one is not signed', async (t) => {
  const largest = (index: number): Member => ({
    key: keyOf(index + 1),
    name: 'n'.repeat(128),
    addresses: Array.from({ length: ADDRESSES_MAX }, (_, port) => `${'h'.repeat(120)}:6000${port}`),
  });
  const members = Array.from({ length: MEMBERS_MAX }, (_, index) => largest(index));
  const signed = signRoster(AUTHORITY, rosterWith(members));
  t.ok(SignedRoster.encode(signed).length < ROSTER_BYTES_MAX, `${signed.roster.length} bytes`);
  t.equal(
    refused(() => signRoster(AUTHORITY, rosterWith([...members, member(100)]))),
    'ERR_LEDGER_MALFORMED',
  );
  const expelled = Array.from({ length: 150 }, (_, index) => ({
    key: keyOf(index + 100),
    name: 'n'.repeat(128),
    heads: [headOf(index + 100, 1)],
  }));
  t.equal(
    refused(() => signRoster(AUTHORITY, rosterWith(members, { expelled }))),
    'ERR_MESH_ROSTER_INVALID',
  );
});

t.test(
  'of two rosters the one of the higher epoch is newer, and of one epoch the one that was issued later',
  async (t) => {
    const at = (epoch: number, issuedUnixMs: number) => rosterWith([], { epoch, issuedUnixMs });
    t.ok(isNewer(at(3, 1), at(2, 9)));
    t.notOk(isNewer(at(2, 9), at(3, 1)));
    t.ok(isNewer(at(2, 9), at(2, 1)));
    t.notOk(isNewer(at(2, 1), at(2, 1)));
  },
);

t.test('whom any roster expelled is in no later one of an authority that had forgotten it', async (t) => {
  const gone = { key: keyOf(2), name: 'gateway-2', heads: [] };
  const expelling = rosterWith([member(1)], { epoch: 3, expelled: [gone] });
  const forgetful = rosterWith([member(1), member(2), member(3)], { epoch: 3, issuedUnixMs: 1_790_000_000_001 });
  for (const rosters of [
    [expelling, forgetful],
    [forgetful, expelling],
  ]) {
    t.strictSame(rosterOf(rosters), { ...forgetful, members: [member(1), member(3)], expelled: [gone] });
  }
  t.equal(rosterOf([]), undefined);
});
