import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AuthorityFolder } from '@sparc/edge/authority';
import { nodeCrypto } from '@sparc/edge/ledger';
import { nodeRandom, verifySignature } from '@sparc/edge/platform';
import { nodePartTools } from '@sparc/edge/policy-parts';
import { assertMaker, readCourier, type CourierOpening } from '@sparc/protocol/courier';
import { verifyBatch, EntryContent } from '@sparc/protocol/ledger';
import { EMPTY_COURSE, learn, readRevision } from '@sparc/protocol/policy-revision';
import { VirtualClock } from '@sparc/simulator/world';
import { edited, SITE_FILE } from '../../support/site-file.js';
import { sparc } from '../../support/sparc-command.js';

async function run(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await sparc([...args, '--json']);
  return JSON.parse(exitCode === 0 ? stdout : stderr) as Record<string, unknown>;
}

async function scene(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-authority-policy-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [dir, site, courier] = [join(folder, 'authority'), join(folder, 'site.yaml'), join(folder, 'site.courier')];
  await run('authority', 'init', dir, '--site', 'harbour');
  writeFileSync(site, SITE_FILE);
  return { dir, site, courier };
}

/** All that a courier of the authority brings, as a gateway of the site verifies it. */
function taken(dir: string, courier: string) {
  const deps = { clock: new VirtualClock({ startUnixMs: 0 }), random: nodeRandom, verify: verifySignature };
  const folder = AuthorityFolder.open(dir, deps);
  folder.close();
  let opening: CourierOpening | undefined;
  const admit = (each: CourierOpening) => {
    assertMaker(verifySignature, { authority: folder.publicKey, roster: folder.roster }, each);
    opening = each;
  };
  const parts = new Map<string, Uint8Array>();
  let course = EMPTY_COURSE;
  for (const item of readCourier(nodeCrypto, [folder.siteSecret.secret], [readFileSync(courier)], admit)) {
    if ('part' in item) parts.set(Buffer.from(nodePartTools.sha256(item.part)).toString('hex'), item.part);
    else {
      for (const { content } of verifyBatch(nodeCrypto, item.batch).entries) {
        course = learn(course, EntryContent.decode(content));
      }
    }
  }
  return { opening, course, parts };
}

t.test('a site file that is signed and published arrives whole', async (t) => {
  const { dir, site, courier } = await scene(t);
  t.match(await run('authority', 'policy', 'sign', site, '--dir', dir), {
    number: 1,
    site: 'harbour',
    isNew: true,
    counts: { profiles: 2, holders: 2, credentials: 3 },
  });
  t.match(await run('authority', 'beacon', '--dir', dir), { number: 1 });
  t.match(await run('authority', 'publish', courier, '--dir', dir), { file: courier, number: 1 });
  const { course, parts, opening } = taken(dir, courier);
  t.match(opening, { site: 'harbour' });
  const [issued] = course.revisions;
  t.ok(issued);
  if (issued === undefined) return;
  t.ok((course.beacons.get(1)?.wallUnixMs ?? 0) >= issued.issuedUnixMs);
  const { plan, emergencyCredentials, credentials } = readRevision(nodePartTools, issued.revision, parts);
  t.strictSame(
    plan.doors.map(({ id }) => id),
    ['front', 'lab'],
  );
  t.match(emergencyCredentials, [{ credentialId: 'card-chief', accessPointIds: ['front-in'] }]);
  t.strictSame(
    [...credentials].map(({ id }) => id),
    ['card-ada', 'card-bob', 'card-chief'],
  );
});

t.test('people are told what was signed, what is new, and that nothing is', async (t) => {
  const { dir, site } = await scene(t);
  t.match(
    (await sparc(['authority', 'policy', 'sign', site, '--dir', dir])).stdout,
    /^Policy 1 of site harbour is signed/,
  );
  t.match((await sparc(['authority', 'policy', 'sign', site, '--dir', dir])).stdout, /nothing was signed/);
  writeFileSync(site, edited(SITE_FILE, 'name: Ada', 'name: Eve').text);
  const { stdout } = await sparc(['authority', 'policy', 'sign', site, '--dir', dir]);
  t.match(stdout, /^Policy 2 of site harbour is signed: 3 credentials of 2 holders/);
  t.match(stdout, /; 2 parts with \d+ bytes are new/);
});

t.test('a site file that is wrong, or of another site, is not signed', async (t) => {
  const { dir, site, courier } = await scene(t);
  writeFileSync(site, edited(SITE_FILE, 'site: { id: harbour', 'site: { id: airport').text);
  t.match(await run('authority', 'policy', 'sign', site, '--dir', dir), { code: 'ERR_MESH_OTHER_SITE' });
  writeFileSync(site, edited(SITE_FILE, 'holder: ada\n    pin', 'holder: eve\n    pin').text);
  t.match(await run('authority', 'policy', 'sign', site, '--dir', dir), { code: 'ERR_POLICY_INVALID' });
  t.match(await run('authority', 'beacon', '--dir', dir), { code: 'ERR_POLICY_UNSIGNED' });
  t.match(await run('authority', 'publish', courier, '--dir', dir), { file: courier });
  t.strictSame(taken(dir, courier).course, EMPTY_COURSE, 'the rest of what the authority said goes all the same');
});

t.test(
  'a clock that is behind what the authority signed signs no policy, unless a person vouches for it',
  async (t) => {
    const { dir, site } = await scene(t);
    const clock = new VirtualClock({ startUnixMs: Date.now() + 3_600_000 });
    const ahead = AuthorityFolder.open(dir, { clock, random: nodeRandom, verify: verifySignature });
    ahead.rotate();
    ahead.close();
    const sign = ['authority', 'policy', 'sign', site, '--dir', dir];
    const beacon = ['authority', 'beacon', '--dir', dir];
    t.match(await run(...sign), { code: 'ERR_MESH_AUTHORITY_CLOCK' });
    t.match(await run(...sign, '--despite-clock'), { number: 1 });
    // The last entry is of now.
    t.match(await run(...beacon), { number: 1 });
  },
);

t.test('what is no key of a cloud is refused', async (t) => {
  const { dir, courier } = await scene(t);
  for (const key of ['ab', 'ab'.repeat(32), '00'.repeat(32)]) {
    t.match(await run('authority', 'publish', courier, '--dir', dir, '--cloud', key), { code: 'ERR_CLI_USAGE' });
  }
  t.notOk(existsSync(courier));
});

t.test('a courier that cannot be written leaves nothing', async (t) => {
  const { dir, courier } = await scene(t);
  const nowhere = join(courier, 'in', 'no', 'folder');
  t.match(await run('authority', 'publish', nowhere, '--dir', dir), { code: 'ERR_CLI_WRITE_FAILED' });
  t.notOk(existsSync(courier));
});
