import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import type { MeshView } from '@sparc/edge/api';
import { ERRORS } from '@sparc/protocol/errors';
import { EVENTS } from '@sparc/protocol/events';
import { keyOf, meshOf } from '../../support/mesh-page.js';
import { REPOSITORY } from '../../support/repository.js';

const { meshProblemsOf } = await import(pathToFileURL(join(REPOSITORY, 'edge', 'console', 'mesh-problems.js')).href);

const WENT_UNIX_MS = 1_790_000_000_000;

const codesAt = (mesh: MeshView, nowMs: number): string[] =>
  meshProblemsOf(mesh, { errors: ERRORS, events: EVENTS }, 0, nowMs).map(({ code }: { code: string }) => code);

/** The gate is away. */
function withoutGate(): MeshView {
  const mesh = meshOf('hallway', 'gate');
  const [self, { hereSinceUnixMs: _, hears: _hears, ...gate }] = mesh.members as [
    MeshView['members'][0],
    MeshView['members'][0],
  ];
  const members = [
    { ...self, hears: [] },
    { ...gate, awaySinceUnixMs: WENT_UNIX_MS },
  ];
  const roster = { site: 'harbour', epoch: 4, issuedUnixMs: 1, notAfterUnixMs: 2 ** 47 };
  return { ...mesh, members, roster, partitions: [[keyOf(1)], [keyOf(2)]] };
}

t.test('a gateway that is back within ten seconds was no problem', async (t) => {
  t.strictSame(codesAt(withoutGate(), WENT_UNIX_MS + 10_000), []);
  t.strictSame(codesAt(withoutGate(), WENT_UNIX_MS + 10_001), ['mesh.apart']);
});

t.test('entries that nobody else has are a problem after a minute', async (t) => {
  const own = { replicasCount: 0, unreplicatedCount: 2, unreplicatedSinceUnixMs: WENT_UNIX_MS };
  const mesh = { ...withoutGate(), own };
  t.notOk(codesAt(mesh, WENT_UNIX_MS + 60_000).includes('mesh.unreplicated'));
  t.ok(codesAt(mesh, WENT_UNIX_MS + 60_001).includes('mesh.unreplicated'));
});

t.test('an expired roster, a full replica and a policy that was rejected say so', async (t) => {
  const mesh = withoutGate();
  const expired = { site: 'harbour', epoch: 4, issuedUnixMs: 1, notAfterUnixMs: WENT_UNIX_MS };
  const [own, gate] = mesh.logs;
  if (own === undefined || gate === undefined) throw new Error('two ledgers');
  const policy = { partsMissingCount: 0, rejected: { number: 12, code: 'ERR_POLICY_INVALID' } };
  const codes = codesAt({ ...mesh, roster: expired, logs: [own, { ...gate, full: 'disk' }], policy }, WENT_UNIX_MS);
  t.strictSame(codes, ['ledger.replica_full', 'mesh.roster_expired', 'ERR_POLICY_INVALID']);
  const unread = { partsMissingCount: 0, rejected: { code: 'ERR_LEDGER_SIGNATURE_INVALID' } };
  t.strictSame(codesAt({ ...mesh, policy: unread }, WENT_UNIX_MS), ['ERR_LEDGER_SIGNATURE_INVALID']);
});
