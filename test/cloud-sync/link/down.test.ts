import t from 'tap';
import { directiveId, signDirective } from '@sparc/protocol/directive';
import { ONE_GATEWAY_REQUESTS_MAX } from '@sparc/cloud-sync/link';
import type { Trial } from '@sparc/protocol/cloud-link';
import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { Signer } from '@sparc/protocol/ports';
import { TRIAL_PAUSE_MS, TRIALS_AT_ONCE_MAX, type UplinkDeps } from '@sparc/edge/uplink';
import { toHex } from '@sparc/edge/platform';
import { Cloud } from '../../support/cloud.js';
import { migrated, openPglite } from '../../support/databases.js';
import { HeldLogs } from '../../support/held-logs.js';
import { eventually } from '../../support/peers.js';
import { systemClock } from '../../support/system-clock.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const changed = { name: 'configuration.changed' };
const patiently = (what: string, condition: () => boolean) => eventually(what, condition, 60_000);

/** No machine takes so long for one of these tests. */
const LIFETIME_MS = 600_000;

let seed = 80;
const newSigner = () => testSigner(seed++);

t.test('the way down from the cloud', async (t) => {
  const connections = await migrated(await openPglite(t));

  async function setUp(gatewaysCount: number) {
    const gateways = Array.from({ length: gatewaysCount }, newSigner);
    const authority = new TestChain(newSigner());
    const cloud = await Cloud.start(t, connections, gateways);
    await cloud.setAuthority(authority.signer.publicKey);
    const link = async (gateway: Signer, more: Partial<UplinkDeps> = {}) => {
      const held = new HeldLogs();
      const uplink = await cloud.uplink(gateway, held, cloud.port, { take: (batch) => held.take(batch), ...more });
      await patiently('the link stands', () => uplink.state.isConnected);
      return { held, uplink, ends: () => held.ends(authority.signer) };
    };
    return { gateways, authority, cloud, link };
  }

  t.test('what the authority says comes to those that have a link, and to others when they have one', async (t) => {
    const { gateways, authority, cloud, link } = await setUp(2);
    const [first, second] = gateways;
    if (first === undefined || second === undefined) throw new Error('two gateways');
    await cloud.authorSaid(authority.open(1));
    const one = await link(first);
    await patiently('it has what was said before', () => one.ends().includes('1/1'));
    await cloud.authorSaid(authority.add(changed));
    await patiently('it has what was said just now', () => one.ends().includes('1/2'));
    const other = await link(second);
    await patiently('the other has all', () => other.ends().includes('1/2'));
    t.strictSame([cloud.refusals, cloud.failures], [[], []]);
  });

  t.test('parts of the policy come to whoever asks by their names, without those that are not there', async (t) => {
    const { gateways, cloud, link } = await setUp(1);
    const [gateway] = gateways;
    if (gateway === undefined) throw new Error('a gateway');
    const contents = Array.from({ length: 20 }, (_, index) => new Uint8Array(10_000).fill(index));
    const hashes = contents.map((content) => cloud.authority.keep(content));
    const { uplink } = await link(gateway);
    const came: Uint8Array[] = [];
    for await (const content of uplink.parts.ask(['ab'.repeat(32), ...hashes])) came.push(content);
    t.strictSame(
      came.map((content) => content[0]),
      contents.map((content) => content[0]),
    );
  });

  t.test('a directive for one gateway is applied, refused with its code, or heard by nobody', async (t) => {
    const { gateways, cloud, link } = await setUp(3);
    const [gateway, late, away] = gateways;
    if (gateway === undefined || late === undefined || away === undefined) throw new Error('three gateways');
    const taken: string[] = [];
    await link(gateway, {
      direct: ({ operator, text }) => {
        taken.push(text);
        // A field names the directive in its receipt.
        const receipt = { id: directiveId({ operator, text }), outcome: 'applied' } as const;
        if (operator === toHex(newOperator.publicKey)) return Promise.resolve(receipt);
        throw new SparcError('ERR_DIRECTIVE_NOT_ENTITLED', 'nobody knows this operator');
      },
    });
    const newOperator = newSigner();
    const unlock = (operator: Signer) => {
      const issuedUnixMs = Date.now();
      const every = { v: 1, site: 'harbour', issuedUnixMs, expiresUnixMs: issuedUnixMs + LIFETIME_MS } as const;
      return signDirective(operator, { ...every, kind: 'door', door: 'front', order: { kind: 'accessDoor' } });
    };
    const directive = unlock(newOperator);
    t.strictSame(await cloud.direct(gateway, directive), { outcome: 'applied' });
    t.strictSame(await cloud.direct(gateway, unlock(newSigner())), {
      outcome: 'refused',
      code: 'ERR_DIRECTIVE_NOT_ENTITLED',
    });
    const wall = () => ({ unixMs: Date.now() + LIFETIME_MS, quality: 'synced' }) as const;
    await link(late, { clock: { ...systemClock, wall }, direct: () => Promise.reject(new Error('too late')) });
    t.strictSame(await cloud.direct(late, directive), { outcome: 'expired' }, 'its time is over there');
    t.strictSame(await cloud.direct(away, directive, 1), { outcome: 'unheard' });
    t.equal(taken.length, 2);
    const many = Array.from({ length: ONE_GATEWAY_REQUESTS_MAX }, () => cloud.direct(away, directive, 2_000));
    await t.rejects(cloud.direct(away, directive, 1), { code: 'ERR_LINK_BUSY' }, 'it has its share');
    t.strictSame(await cloud.direct(gateway, directive), { outcome: 'applied' }, 'and others have theirs');
    t.ok((await Promise.all(many)).every((result) => result?.outcome === 'unheard'));
  });

  t.test('a gateway says what it would decide, refuses with its code, or is heard by nobody', async (t) => {
    const { gateways, cloud, link } = await setUp(3);
    const [gateway, other, away] = gateways;
    if (gateway === undefined || other === undefined || away === undefined) throw new Error('three gateways');
    const trial = { accessPoint: 'front-in', credential: 'ada', atUnixMs: 1_800_000_000_000 };
    const decision = {
      outcome: 'denied' as const,
      reason: 'a reason of a newer version',
      alsoFailed: ['use_limit'],
      flags: ['policy_stale'],
      policyRevision: '7',
      atUnixMs: trial.atUnixMs,
    };
    const ofTrial = { outcome: 'decided' as const, decision };
    const asked: Trial[] = [];
    let nowMs = 0;
    await link(gateway, {
      clock: { ...systemClock, monotonicMs: () => nowMs },
      tryOut: (trial) => {
        asked.push(trial);
        return Promise.resolve(decision);
      },
    });
    t.strictSame(await cloud.tryOut(gateway, trial), ofTrial);
    t.strictSame(asked, [trial]);
    const refused = (code: ErrorCode) => ({ outcome: 'refused', code });
    for (let count = 1; count < TRIALS_AT_ONCE_MAX; count++) await cloud.tryOut(gateway, trial);
    t.strictSame(await cloud.tryOut(gateway, trial), refused('ERR_LINK_TRIAL_PACE'), 'the field has doors to serve');
    t.equal(asked.length, TRIALS_AT_ONCE_MAX, 'and is not asked');
    nowMs += TRIAL_PAUSE_MS;
    t.match(await cloud.tryOut(gateway, trial), { outcome: 'decided' }, 'after a pause it answers again');
    await link(other, {
      tryOut: () => {
        throw new SparcError('ERR_GATEWAY_TRIAL_UNKNOWN', 'no such access point');
      },
      direct: () => Promise.resolve(ofTrial),
    });
    t.strictSame(await cloud.tryOut(other, trial), refused('ERR_GATEWAY_TRIAL_UNKNOWN'));
    t.strictSame(await cloud.tryOut(away, trial, 1), { outcome: 'unheard' });
    t.strictSame(cloud.refusals, []);
    const issuedUnixMs = Date.now();
    const every = { v: 1, site: 'harbour', issuedUnixMs, expiresUnixMs: issuedUnixMs + LIFETIME_MS } as const;
    const lockdown = signDirective(newSigner(), { ...every, kind: 'raise', what: 'lockdown' });
    const unanswered = cloud.direct(other, lockdown, 15_000);
    await patiently('an answer is refused', () => cloud.refusals.length > 0);
    t.strictSame(cloud.refusals, ['answer'], 'a directive is not answered with a decision');
    await cloud.stop();
    t.strictSame(await unanswered, { outcome: 'unheard' });
  });

  t.test('a gateway that is expelled loses its link at once, and gets no other', async (t) => {
    const { gateways, authority, cloud, link } = await setUp(2);
    const [gateway] = gateways;
    if (gateway === undefined) throw new Error('a gateway');
    const { uplink } = await link(gateway);
    await cloud.expel(gateway);
    await cloud.authorSaid(authority.open(1));
    await patiently('the link is gone', () => !uplink.state.isConnected);
    await patiently('a call is refused', () => uplink.state.why?.includes('Not authorized') === true);
    t.equal(uplink.state.isConnected, false);
  });

  t.test('who was expelled while nobody listened to the database loses its link when somebody does', async (t) => {
    const { gateways, cloud, link } = await setUp(2);
    const [gateway] = gateways;
    if (gateway === undefined) throw new Error('a gateway');
    const { uplink } = await link(gateway);
    await cloud.expel(gateway);
    t.ok(uplink.state.isConnected);
    cloud.listenAgain();
    await patiently('the link is gone', () => !uplink.state.isConnected);
  });
});
