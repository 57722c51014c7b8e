import t, { type Test } from 'tap';
import { nodeCrypto } from '@sparc/edge/ledger';
import { policyContentOf, validateSiteFile } from '@sparc/edge/policy';
import { nodePartTools } from '@sparc/edge/policy-parts';
import { SitePolicy } from '@sparc/edge/site-mesh';
import { cutRevision, POLICY_KIND, PolicyRevision, surveyParts } from '@sparc/protocol/policy-revision';
import type { MeshNetworkHandlers, Part } from '@sparc/protocol/ports';
import { SimulatedMesh } from '@sparc/simulator/mesh';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { SITE_FILE } from '../../support/site-file.js';

const IGNORE: MeshNetworkHandlers = {
  onConnected: () => undefined,
  onDisconnected: () => undefined,
  onMessage: () => undefined,
  serve: () => [],
};

function revisionOf(number: number, door: string) {
  const parts: Part[] = [];
  const text = SITE_FILE.replace('name: Front door', `name: ${door}`);
  const content = policyContentOf(validateSiteFile(text, 'site.yaml'), new Uint8Array(32));
  return { revision: cutRevision(nodePartTools, { number, content }, (part) => void parts.push(part)), parts };
}
const FIRST = revisionOf(1, 'Gate');
const SECOND = revisionOf(2, 'Portal');
const THIRD = revisionOf(3, 'Arch');

/** A gateway without parts, beside one that has these. */
async function scene(t: Test, neighbourHas: readonly Part[], freeBytes = Infinity) {
  const clock = new VirtualClock({ startUnixMs: Date.parse('2026-03-02T08:00:00Z') });
  const mesh = new SimulatedMesh(clock, new SeededRandom(7));
  const field: { says: ReturnType<ConstructorParameters<typeof SitePolicy>[0]['inForce']> } = { says: {} };
  /** Who said that all is on their disk. */
  const here: string[] = [];
  const gateway = async (name: string) => {
    const disk = new Map<string, Uint8Array>();
    const policy = new SitePolicy({
      clock,
      network: mesh.join(name, name),
      store: {
        has: (hash) => disk.has(hash),
        get: (hash) => disk.get(hash),
        put: (parts) => parts.forEach(({ hash, content }) => disk.set(hash, content)),
        drop: (hash) => void disk.delete(hash),
        keepOnly: (hashes) => [...disk.keys()].forEach((hash) => hashes.has(hash) || disk.delete(hash)),
        close: () => undefined,
      },
      siteId: 'harbour',
      freeBytes: () => freeBytes,
      inForce: () => field.says,
      onHere: () => void here.push(name),
      onFailure: () => undefined,
    });
    const { network } = policy.exchange;
    await network.start(IGNORE);
    t.teardown(() => network.stop());
    return { policy, disk };
  };
  const neighbour = await gateway('b');
  for (const { hash, content } of neighbourHas) neighbour.disk.set(hash, content);
  const { policy, disk } = await gateway('a');
  const issue = ({ revision }: { revision: PolicyRevision }) => {
    const { unixMs: wallUnixMs } = clock.wall();
    const handler = policy.handlers.find(({ kind }) => kind === POLICY_KIND);
    const hlc = { unixMs: Math.floor(wallUnixMs), counter: revision.number };
    handler?.take({ kind: POLICY_KIND, body: PolicyRevision.encode(revision), wallUnixMs, hlc });
  };
  const isWhole = ({ revision }: { revision: PolicyRevision }) =>
    surveyParts(nodePartTools, revision, disk).missing.length === 0;
  const pass = async () => {
    policy.look();
    await clock.advance(10_000);
  };
  return { clock, field, policy, disk, here, issue, isWhole, pass };
}

t.test('what is shown is the newest revision, since when it is known, and what the field says', async (t) => {
  const { clock, field, policy, issue, pass } = await scene(t, FIRST.parts);
  t.equal(policy.view(), undefined);
  const knownSinceUnixMs = clock.wall().unixMs;
  issue(FIRST);
  await pass();
  t.match(policy.view(), { newest: { number: 1, knownSinceUnixMs }, partsMissingCount: 0 });
  issue(SECOND);
  await pass();
  t.match(policy.view(), { newest: { number: 2 }, partsMissingCount: 1 });
  field.says = { inForce: { number: 1, issuedUnixMs: 5 }, rejected: { number: 2, code: 'ERR_POLICY_INVALID' } };
  t.match(policy.view(), { ...field.says, newest: { number: 2 } });
});

t.test(
  'a revision that is rejected here lets the one before it come, if that is newer than what is in force',
  async (t) => {
    const inForce = { number: 1, issuedUnixMs: 5 };
    for (const [code, number, isFetched] of [
      ['ERR_POLICY_INVALID', 1, true],
      ['ERR_POLICY_INVALID', 2, false],
      ['ERR_POLICY_WRITE_FAILED', 1, false],
    ] as const) {
      const { field, issue, isWhole, pass } = await scene(t, [...SECOND.parts, ...THIRD.parts]);
      const issuedUnixMs = number === 2 ? Date.parse('2026-03-02T08:00:00Z') : 5;
      field.says = { inForce: { ...inForce, number, issuedUnixMs } };
      issue(SECOND);
      issue(THIRD);
      await pass();
      t.ok(isWhole(THIRD));
      t.notOk(isWhole(SECOND));
      field.says = { ...field.says, rejected: { number: 3, code } };
      await pass();
      t.equal(isWhole(SECOND), isFetched, `${code}, and ${number} is in force`);
    }
  },
);

t.test('when the field finds a part damaged, all are compared, and again for the next revision', async (t) => {
  const { field, disk, issue, isWhole, pass } = await scene(t, [...FIRST.parts, ...SECOND.parts]);
  const damage = () => {
    for (const [hash, content] of disk) disk.set(hash, Uint8Array.from(content).fill(0, 0, 1));
  };
  const damagedCount = () =>
    [...disk].filter(([hash, content]) => Buffer.from(nodeCrypto.sha256(content)).toString('hex') !== hash).length;
  for (const made of [FIRST, SECOND]) {
    issue(made);
    await pass();
    damage();
    await pass();
    t.not(damagedCount(), 0, 'nobody looks for it otherwise');
    field.says = { rejected: { number: made.revision.number, code: 'ERR_POLICY_PART_ABSENT' } };
    await pass();
    t.equal(damagedCount(), 0);
    t.ok(isWhole(made));
  }
});

t.test('it is told when the last part of a revision is here, and not before', async (t) => {
  const { here, issue, isWhole, pass } = await scene(t, [...FIRST.parts, ...SECOND.parts.slice(0, 1)]);
  issue(FIRST);
  await pass();
  t.ok(isWhole(FIRST));
  t.ok(here.includes('a'));
  here.length = 0;
  issue(SECOND);
  await pass();
  t.notOk(isWhole(SECOND));
  t.strictSame(here, []);
});

t.test('a disk without room is shown', async (t) => {
  const { policy, issue, isWhole, pass } = await scene(t, FIRST.parts, 100);
  issue(FIRST);
  await pass();
  t.notOk(isWhole(FIRST));
  t.match(policy.view(), { rejected: { number: 1, code: 'ERR_POLICY_DISK_RESERVE' } });
});
