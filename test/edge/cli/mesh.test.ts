import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MESH_OFF, type MeshView } from '@sparc/edge/api';
import { LOCAL_API_FILE } from '@sparc/edge/commissioning';
import { sparc } from '../../support/sparc-command.js';

const [HALLWAY, GATE, CELLAR] = ['ab'.repeat(32), 'cd'.repeat(32), 'ef'.repeat(32)] as const;

const headOf = (author: string, sequence: number) => ({
  site: 'harbour',
  author,
  epoch: { counter: 3, random: '00'.repeat(8) },
  sequence,
  hash: '11'.repeat(32),
  signature: '22'.repeat(64),
});

const RUNNING: MeshView = {
  ...MESH_OFF,
  state: 'running',
  roster: { site: 'harbour', epoch: 4, issuedUnixMs: 1, notAfterUnixMs: 2 ** 47 },
  listensAt: ['10.0.0.5:7400'],
  members: [
    { key: HALLWAY, name: 'hallway', addresses: [], isSelf: true, isReached: true },
    { key: GATE, name: 'gate', addresses: [], isSelf: false, isReached: false },
  ],
  logs: [
    { author: HALLWAY, name: 'hallway', heads: [headOf(HALLWAY, 12)], behindCount: 0 },
    { author: GATE, name: 'gate', heads: [headOf(GATE, 7), headOf(GATE, 9)], behindCount: 5 },
  ],
  partitions: [[HALLWAY], [GATE]],
  own: { replicasCount: 0, unreplicatedCount: 0 },
};

/** Runs a command on a gateway whose API gives this view. */
async function told(t: Test, view: MeshView, ...args: string[]): Promise<string> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/api/mesh' ? 200 : 404;
    response.end(JSON.stringify(view));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const cwd = t.testdir({ 'gateway.yaml': 'gateway: { name: closet }\ndataDir: ./data\nbuses: []\n' });
  mkdirSync(join(cwd, 'data'));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(join(cwd, 'data', LOCAL_API_FILE), JSON.stringify({ url, token: 'none' }), { mode: 0o600 });
  const { exitCode, stdout, stderr } = await sparc(['mesh', ...args, '--config', join(cwd, 'gateway.yaml')]);
  t.equal(exitCode, 0, stderr);
  return stdout;
}

t.test('who is away, what is behind and what is here only is plain to see', async (t) => {
  const own = { replicasCount: 1, unreplicatedCount: 3, unreplicatedSinceUnixMs: Date.now() - 600_000 };
  const logs = RUNNING.logs.map((log) => (log.author === GATE ? { ...log, full: 'disk' } : log));
  const text = await told(t, { ...RUNNING, logs, own }, 'status');
  t.match(text, 'Site harbour, roster 4.\nListens at 10.0.0.5:7400.\n1 neighbour has all of the own ledger.\n');
  t.match(text, '3 own entries are HERE ONLY, the oldest for 10 min.');
  t.match(text, new RegExp(`hallway +${HALLWAY} +this gateway +3\\.12`));
  t.match(text, new RegExp(`gate +${GATE} +AWAY +3\\.7 and 3\\.9 +5 FULL: disk`));
});

t.test('whom each gateway hears is said, and what it lacks of the own ledger', async (t) => {
  const [hallway, gate] = RUNNING.members;
  if (hallway === undefined || gate === undefined) throw new Error('two members');
  const members = [
    { ...hallway, hears: [GATE], addresses: ['10.0.0.5:7400'] },
    { ...gate, hears: [HALLWAY], hereSinceUnixMs: Date.now() - 90_000, roundTripMs: 0.62, ownMissingCount: 4 },
    {
      key: CELLAR,
      name: 'cellar',
      addresses: [],
      isSelf: false,
      isReached: false,
      awaySinceUnixMs: Date.now() - 600_000,
    },
  ];
  const view = { ...RUNNING, members, partitions: [[HALLWAY, GATE], [CELLAR]] };
  const text = await told(t, view, 'peers');
  t.match(text, 'APART: hallway, gate | cellar.');
  t.match(text, /hallway +this gateway +gate +10\.0\.0\.5:7400/);
  t.match(text, /gate +for 9\d s +0\.6 ms +hallway +4/);
  t.match(text, /cellar +AWAY for 10 min +not known/);
  t.match(JSON.parse(await told(t, view, 'peers', '--json')), members);
  t.match(await told(t, MESH_OFF, 'peers'), 'no mesh');
});

t.test('how far the policy is, and who was expelled, is in the state', async (t) => {
  const policy = {
    inForce: { number: 11, issuedUnixMs: 1 },
    newest: { number: 12, issuedUnixMs: 2, knownSinceUnixMs: Date.now() - 30_000 },
    partsMissingCount: 4,
  };
  const text = await told(t, { ...RUNNING, policy, expelled: [{ key: CELLAR, name: 'cellar', heads: [] }] }, 'status');
  t.match(text, /Policy revision 11 is in force\.\nPolicy revision 12 comes: 4 parts missing, known for \d+ s\./);
  t.match(text, `EXPELLED: cellar (${CELLAR}).`);
  const rejected = { ...policy, rejected: { number: 12, code: 'ERR_POLICY_INVALID' } };
  const refused = await told(t, { ...RUNNING, policy: rejected }, 'status');
  t.match(refused, 'Policy revision 12 was REJECTED: ERR_POLICY_INVALID.');
  t.notMatch(refused, 'comes');
  const unread = { ...policy, rejected: { code: 'ERR_LEDGER_SIGNATURE_INVALID' } };
  const stands = await told(t, { ...RUNNING, policy: unread }, 'status');
  t.match(stands, 'NO new policy is taken: ERR_LEDGER_SIGNATURE_INVALID.');
});

t.test('a fork, an expired roster and whatever else is wrong is said', async (t) => {
  const roster = { site: 'harbour', epoch: 4, issuedUnixMs: 1, notAfterUnixMs: 2 };
  const forks = [{ kind: 'altered', first: headOf(GATE, 7), second: headOf(GATE, 9) }];
  const trouble = { code: 'ERR_MESH_MEMBERSHIP_DAMAGED', message: 'why' };
  const text = await told(t, { ...RUNNING, roster, forks, trouble }, 'status');
  t.match(text, 'EXPIRED');
  t.match(text, 'FORK: gate signed two histories (altered).');
  t.match(text, 'ERR_MESH_MEMBERSHIP_DAMAGED: why');
});

t.test('a mesh that does not run says why, and what to do', async (t) => {
  t.match(await told(t, MESH_OFF, 'status'), 'no mesh');
  t.match(await told(t, { ...MESH_OFF, state: 'notJoined' }, 'status'), 'sparc gateway request');
  const failed: MeshView = {
    ...MESH_OFF,
    state: 'failed',
    trouble: { code: 'ERR_MESH_START_FAILED', message: 'taken' },
  };
  t.match(await told(t, failed, 'status'), /DOES NOT RUN.*\nERR_MESH_START_FAILED: taken/);
});

t.test('heads are given one a line, or as JSON', async (t) => {
  const lines = (await told(t, RUNNING, 'heads')).trim().split('\n');
  t.strictSame(
    lines.map((line) => JSON.parse(line)),
    RUNNING.logs.flatMap(({ heads }) => heads),
  );
  t.strictSame(JSON.parse(await told(t, RUNNING, 'heads', '--json')).length, 3);
  t.match(await told(t, MESH_OFF, 'heads'), 'No ledger is here.');
});
