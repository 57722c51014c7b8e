import t, { type Test } from 'tap';
import { findIdentitySeed } from '@sparc/edge/platform';
import { membershipHandlers } from '@sparc/edge/site-mesh';
import {
  Delegation,
  DELEGATION_KIND,
  ROSTER_KIND,
  SealedSiteSecret,
  sealSiteSecret,
  SignedRoster,
  signRoster,
  SITE_SECRET_KIND,
} from '@sparc/protocol/roster';
import { Entitlements } from '@sparc/protocol/directive';
import { HLC_ZERO } from '@sparc/protocol/hlc';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { keyOf, rosterWith } from '../../support/roster.js';
import { testSigner } from '../../support/test-signer.js';
import { AUTHORITY, codeOf, membershipScene, secretOf, SITE_SECRET, START } from '../membership/membership-scene.js';

function scene(t: Test) {
  const { dataDir, key, self, joins, opened } = membershipScene(t);
  joins();
  const membership = opened();
  const entitlements = new Entitlements(undefined);
  const seed = findIdentitySeed(dataDir) ?? new Uint8Array();
  const clock = new VirtualClock({ startUnixMs: START });
  const handlers = membershipHandlers(clock, { key, seed }, membership, (each) => void entitlements.take(each));
  /** The authority says it; the code that it ends with. */
  const says = (kind: string, body: Uint8Array) =>
    codeOf(() =>
      handlers.find((handler) => handler.kind === kind)?.take({ kind, body, wallUnixMs: START, hlc: HLC_ZERO }),
    );
  return { key, self, membership, entitlements, says };
}

t.test('a roster counts by its own epoch, in whatever order it is said', async (t) => {
  const { self, membership, says } = scene(t);
  const roster = (epoch: number, rest: object = {}, authority = AUTHORITY) =>
    SignedRoster.encode(signRoster(authority, rosterWith([self], { epoch, ...rest })));
  t.equal(says(ROSTER_KIND, roster(9)), 'done');
  t.equal(says(ROSTER_KIND, roster(8)), 'done');
  t.equal(membership.newest.epoch, 9);
  t.equal(says(ROSTER_KIND, roster(10, { site: 'airport' })), 'ERR_MESH_ROSTER_INVALID');
  t.equal(says(ROSTER_KIND, roster(10, {}, testSigner(201))), 'ERR_MESH_ROSTER_INVALID');
  t.equal(says(ROSTER_KIND, Uint8Array.of(1)), 'ERR_LEDGER_MALFORMED');
  t.equal(membership.newest.epoch, 9);
});

t.test(
  'a secret is taken that is sealed to the gateway, and one that is for others is none of its business',
  async (t) => {
    const { key, membership, says } = scene(t);
    const sealed = (number: number, keys: readonly string[]) =>
      sealSiteSecret(new SeededRandom(1), secretOf(number), keys);
    t.equal(says(SITE_SECRET_KIND, SealedSiteSecret.encode(sealed(3, [keyOf(1)]))), 'done');
    t.strictSame(membership.siteSecrets().present, SITE_SECRET);
    const swapped = { ...sealed(3, [keyOf(1)]), sealed: [{ ...sealed(3, [keyOf(1)]).sealed[0], key }] };
    t.equal(
      says(SITE_SECRET_KIND, SealedSiteSecret.encode(swapped as SealedSiteSecret)),
      'ERR_MESH_SECRET_INVALID',
      'one that does not open',
    );
    t.strictSame(membership.siteSecrets().present, SITE_SECRET);
    t.equal(says(SITE_SECRET_KIND, SealedSiteSecret.encode(sealed(4, [key]))), 'done');
    t.strictSame(membership.siteSecrets(), { present: secretOf(4).secret, previous: [SITE_SECRET] });
  },
);

t.test('of an operator the newest delegation counts, and one without rights ends it', async (t) => {
  const { entitlements, says } = scene(t);
  const delegation = (issuedUnixMs: number, rights: readonly string[]) =>
    Delegation.encode({ operator: keyOf(9), name: 'Ada', rights, scope: [], issuedUnixMs, notAfterUnixMs: 100 });
  says(DELEGATION_KIND, delegation(2, ['revoke']));
  says(DELEGATION_KIND, delegation(1, ['revoke', 'mode']));
  t.match(entitlements.operators, [{ operator: keyOf(9), rights: ['revoke'] }]);
  says(DELEGATION_KIND, delegation(3, ['of a newer version']));
  t.match(entitlements.operators, [{ rights: ['of a newer version'] }], 'a right that is not known here is kept');
  says(DELEGATION_KIND, delegation(4, []));
  t.strictSame(entitlements.operators, []);
});
