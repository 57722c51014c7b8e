import t from 'tap';
import type { CloudBus, OnSaid } from '@sparc/cloud-sync/broker';
import {
  GatewayRequests,
  ONE_GATEWAY_REQUESTS_MAX,
  STRAY_ANSWERS_MAX,
  TENANT_REQUESTS_MAX,
} from '@sparc/cloud-sync/link';
import { nodeCrypto, nodeRandom, toHex } from '@sparc/cloud-sync/platform';
import { openCloudRequest, signAnswer, type Carrier } from '@sparc/protocol/cloud-link';
import { signDirective, type SignedDirective } from '@sparc/protocol/directive';
import { VirtualClock } from '@sparc/simulator/world';
import { testSigner } from '../../support/test-signer.js';

const cloud = testSigner(1);
const operator = testSigner(2);
const signers = Array.from({ length: 32 }, (_, index) => testSigner(10 + index));
const gateways = signers.map(({ publicKey }) => toHex(publicKey));
const [signer = cloud, first = ''] = [signers[0], gateways[0]];

let issuedUnixMs = 1_800_000_000_000;
function order(kind: 'door' | 'raise'): SignedDirective {
  issuedUnixMs += 1;
  const every = { v: 1, site: 'harbour', issuedUnixMs, expiresUnixMs: issuedUnixMs + 60_000 } as const;
  return kind === 'raise'
    ? signDirective(operator, { ...every, kind, what: 'lockdown' })
    : signDirective(operator, { ...every, kind, door: 'front', order: { kind: 'accessDoor' } });
}

async function setUp(say: CloudBus['say'] = () => Promise.resolve()) {
  const clock = new VirtualClock({ startUnixMs: issuedUnixMs });
  const said: Uint8Array[] = [];
  let answers: OnSaid = () => undefined;
  let verifiedCount = 0;
  const refused: string[] = [];
  const requests = new GatewayRequests({
    ...{ clock, random: nodeRandom, signerOf: () => cloud },
    verify: (...of) => {
      verifiedCount += 1;
      return nodeCrypto.verify(...of);
    },
    bus: {
      hear: async (_what, onSaid) => void (answers = onSaid),
      say: (carrier, what, body) => {
        said.push(body);
        return say(carrier, what, body);
      },
    },
    onRefused: ({ gateway }) => refused.push(gateway),
  });
  await requests.start();
  const at = (gateway: string, tenant = 'port'): Carrier => ({ tenant, site: 'harbour', gateway });
  return {
    ...{ clock, requests, said, refused, at },
    answer: (carrier: Carrier, body: Uint8Array) => answers(carrier, body),
    verifiedCount: () => verifiedCount,
    /** To every gateway of the site, of which none answers. */
    give: (signed: SignedDirective, tenant = 'port') =>
      gateways.map((gateway) => requests.direct(at(gateway, tenant), signed, 10_000)),
  };
}

const busyIn = async (given: readonly Promise<unknown>[]) => {
  const settled = await Promise.all(given.map((each) => Promise.race([each.catch(() => 'busy'), immediately()])));
  return settled.filter((each) => each === 'busy').length;
};
const immediately = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

t.test('orders to gateways that are away keep no lockdown waiting', async (t) => {
  const { give } = await setUp();
  for (let count = 0; count < ONE_GATEWAY_REQUESTS_MAX; count += 1) {
    t.equal(await busyIn(give(order('door'))), 0, 'each counts once, to however many gateways it goes');
  }
  t.equal(await busyIn(give(order('door'))), gateways.length, 'one more does not');
  t.equal(await busyIn(give(order('raise'))), 0, 'a lockdown does');
});

t.test('no tenant has the requests of all', async (t) => {
  const { requests, at } = await setUp();
  const askedOf = (tenant: string, index: number) =>
    requests.direct(at(index.toString(16).padStart(64, '0'), tenant), order('door'), 10_000);
  const given = Array.from({ length: TENANT_REQUESTS_MAX }, (_, index) => askedOf('port', index));
  t.equal(await busyIn(given), 0);
  await t.rejects(askedOf('port', TENANT_REQUESTS_MAX), { code: 'ERR_LINK_BUSY' });
  t.equal(await busyIn([askedOf('hospital', 1)]), 0);
});

t.test('a gateway that does not read keeps nobody waiting beyond its time', async (t) => {
  const { clock, requests, at } = await setUp(() => new Promise(() => undefined));
  const unheard = requests.direct(at(first), order('door'), 10_000);
  await clock.advance(12_000);
  t.strictSame(await unheard, { outcome: 'unheard' });
});

t.test('what could not be said does not wait for an answer', async (t) => {
  const { clock, requests, at } = await setUp(() => Promise.reject(new Error('the broker is away')));
  for (let count = 0; count < 2 * ONE_GATEWAY_REQUESTS_MAX; count += 1) {
    await t.rejects(requests.direct(at(first), order('door'), 10_000), { message: 'the broker is away' });
  }
  t.equal(clock.nextTimerAtMs(), undefined);
});

t.test('answers that nobody waits for are not verified, and of others so many', async (t) => {
  const { requests, at, answer, verifiedCount, said, refused } = await setUp();
  const strange = signAnswer(signer, { site: 'harbour', id: 'ab'.repeat(16), outcome: 'applied' });
  answer(at(first), strange);
  t.equal(verifiedCount(), 0);
  const waits = requests.direct(at(first), order('door'), 10_000);
  const before = verifiedCount();
  for (let count = 0; count < 10 * STRAY_ANSWERS_MAX; count += 1) {
    answer(at(first), count % 2 === 0 ? strange : Uint8Array.of(count));
    answer(at(gateways[1] ?? ''), strange);
  }
  t.ok(verifiedCount() - before <= STRAY_ANSWERS_MAX, `${verifiedCount() - before} were`);
  t.equal(refused.length, STRAY_ANSWERS_MAX / 2);
  requests.stop();
  await waits;
  const again = requests.direct(at(first), order('door'), 10_000);
  const { id } = openCloudRequest(nodeCrypto.verify, cloud.publicKey, at(first), said.at(-1) ?? new Uint8Array());
  answer(at(first), signAnswer(signer, { site: 'harbour', id, outcome: 'applied' }));
  t.strictSame(await again, { outcome: 'applied' }, 'the next request begins anew');
});
