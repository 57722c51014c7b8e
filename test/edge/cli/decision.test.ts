import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { decide, decisionRecord, NO_LOCK_OUTS } from '@sparc/edge/access';
import { loadIdentity, nodeRandom, verifySignature } from '@sparc/edge/platform';
import { loadPinKey, SqlitePolicyView, verifyGeneration } from '@sparc/edge/policy';
import type { EventRecord } from '@sparc/protocol/events';
import { emptyJournal, writeRecords } from '../../support/journal.js';
import { SITE_FILE } from '../../support/site-file.js';
import { sparc } from '../../support/sparc-command.js';
import { cardBits } from '../access/scene.js';

/** A data directory with the site in force, and a journal of Ada's card at the front door on Christmas Day. */
async function scene(t: Test) {
  const folder = t.testdir({
    'gateway.yaml': 'gateway: { name: closet }\ndataDir: ./data\nbuses: []\n',
    'site.yaml': SITE_FILE.replaceAll('bus: bus-b', 'bus: bus-a').replace(
      'address: 0, side: secured',
      'address: 2, side: secured',
    ),
  });
  const [config, dataDir] = [join(folder, 'gateway.yaml'), join(folder, 'data')];
  const run = async (...args: string[]) => sparc([...args, '--config', config]);
  const site = join(folder, 'site.yaml');
  const applySite = async (change: (site: string) => string) => {
    writeFileSync(site, change(readFileSync(site, 'utf8')));
    const applied = await run('policy', 'apply', site);
    t.equal(applied.exitCode, 0, applied.stderr);
  };
  await applySite((unchanged) => unchanged);
  const { publicKey } = loadIdentity(dataDir);
  const { current } = verifyGeneration(dataDir, (message, signature) => verifySignature(publicKey, message, signature));
  const view = SqlitePolicyView.open(current?.path ?? '', loadPinKey(dataDir, nodeRandom));
  const decision = decide(
    {
      accessPointId: 'front-in',
      card: cardBits('h10301', 123, 1),
      link: { secure: true, tampered: false },
      readAgeMs: 12.5,
    },
    view,
    {
      wall: { unixMs: Date.parse('2026-12-25T10:00:00Z'), quality: 'holdover' },
      monotonicMs: 0,
      lockOuts: NO_LOCK_OUTS,
      secureChannelRequired: true,
    },
  );
  view.close();
  const record: EventRecord = { ...decisionRecord(decision), doorId: 'front' };
  const { reason: _reason, ...rest } = record;
  const forged: EventRecord = { ...rest, name: 'access.granted' };
  const entries = await writeRecords(dataDir, [record, forged, { name: 'door.opened', doorId: 'front' }]);
  return { run, dataDir, applySite, entries: entries.map(({ id }) => `${id.epoch}.${id.sequence}`) };
}

t.test('a decision in the journal is made again from its record, and one that was altered is found', async (t) => {
  const { run, dataDir, entries } = await scene(t);
  const [right = '', forged = '', none = ''] = entries;
  const same = await run('decision', 'replay', right, '--json');
  t.equal(same.exitCode, 0, same.stderr);
  t.match(JSON.parse(same.stdout), { isSame: true, recorded: { reason: 'outside_schedule', holderId: 'ada' } });
  const other = await run('decision', 'replay', forged);
  t.equal(other.exitCode, 1);
  t.match(other.stdout, 'ANOTHER decision');

  const explained = await run('decision', 'explain', right);
  t.match(explained.stdout, 'Credential card-chief of ada was denied access.');
  t.match(explained.stdout, 'outside the schedule (outside_schedule)');
  t.match(explained.stdout, 'clock holdover');

  const codeOf = async (entry: string) => JSON.parse((await run('decision', 'replay', entry, '--json')).stderr).code;
  t.equal(await codeOf(none), 'ERR_LEDGER_NO_DECISION');
  t.equal(await codeOf('77.1'), 'ERR_LEDGER_NO_DECISION');
  t.equal(await codeOf('newest'), 'ERR_CLI_USAGE');
  const [epoch = 0, sequence = 0] = none.split('.').map(Number);
  t.equal(emptyJournal(dataDir, { epoch, sequence }), 1);
  t.equal(await codeOf(right), 'ERR_LEDGER_EMPTIED');
  t.equal(await codeOf('77.1'), 'ERR_LEDGER_NO_DECISION');
});

t.test(
  'a decision is made again under a revision of long ago, and explained where that is no longer kept',
  async (t) => {
    const { run, entries } = await scene(t);
    const site = join(t.testdirName, 'site.yaml');
    for (let again = 0; again < 4; again++) await run('policy', 'apply', site);
    const archived = await run('decision', 'replay', entries[0] ?? '', '--json');
    t.match(JSON.parse(archived.stdout), { isSame: true });
    rmSync(join(t.testdirName, 'data', 'archive'), { recursive: true });
    const replayed = await run('decision', 'replay', entries[0] ?? '', '--json');
    t.equal(JSON.parse(replayed.stderr).code, 'ERR_POLICY_REVISION_ABSENT');
    t.equal((await run('decision', 'explain', entries[0] ?? '')).exitCode, 0);
  },
);

t.test('a person is tried at a door at a time to come, and nothing is recorded', async (t) => {
  const { run } = await scene(t);
  const at = async (time: string, ...more: string[]) =>
    JSON.parse((await run('decision', 'try', 'card-chief', 'front-in', '--at', time, '--json', ...more)).stdout);
  t.match(await at('2026-12-24T17:59'), { name: 'access.granted' }, 'in the zone of the site');
  t.match(await at('2026-12-24T18:00'), { name: 'access.denied', reason: 'outside_schedule' });
  t.match(await at('2026-12-25T10:00'), { reason: 'outside_schedule' }, 'a holiday');
  const lab = async (pin: string) =>
    JSON.parse(
      (await run('decision', 'try', 'card-ada', 'lab-in', '--at', '2026-02-01', '--pin', pin, '--json')).stdout,
    );
  t.match(await lab('right'), { name: 'access.granted', alsoFailed: undefined });
  t.match(await lab('wrong'), { name: 'access.denied', reason: 'pin_wrong' });
  t.match(await lab('none'), { name: 'access.pin_pending' });
  t.match(await lab('duress'), { name: 'access.granted', inputs: { pin: 'duress' } });
  for (const args of [
    ['nobody', 'front-in'],
    ['card-ada', 'nowhere'],
    ['card-ada', 'lab-in', '--at', 'sunday'],
  ]) {
    t.equal((await run('decision', 'try', ...args)).exitCode, 2, args.join(' '));
  }
});

t.test('a person is tried where the journal has them, or where the options say', async (t) => {
  const folder = t.testdir({
    'gateway.yaml': 'gateway: { name: closet }\ndataDir: ./data\nbuses: []\n',
    'site.yaml': [
      ['bus: bus-b, address: 0', 'bus: bus-a, address: 2'],
      ['name: Hall }', 'name: Hall, antiPassback: { mode: hard, unknown: failSecure }, occupancyMax: 1 }'],
      ['accessPoint: front-in, schedule: office', 'accessPoint: front-in, schedule: always'],
      ['areaTo: hall', 'areaTo: hall, minimumClearance: [0, 3]'],
      ['    holder: ada\n    identifiers', '    holder: ada\n    usesMax: 2\n    identifiers'],
      ['unlockSchedule: office', 'unlockSchedule: office\n    firstCard: { scope: day }'],
      ['accessPoint: lab-in, schedule: always', 'accessPoint: front-in, schedule: office, may: [openFirst]'],
    ].reduce((text, [from = '', to = '']) => text.replace(from, to), SITE_FILE),
  });
  const dataDir = join(folder, 'data');
  const run = (...args: string[]) => sparc([...args, '--config', join(folder, 'gateway.yaml')]);
  const applied = await run('policy', 'apply', join(folder, 'site.yaml'));
  t.equal(applied.exitCode, 0, applied.stderr);
  const answer = async (...more: string[]) => {
    const tried = await run('decision', 'try', 'card-chief', 'front-in', '--json', ...more);
    const { name, reason, alsoFailed = [] } = JSON.parse(tried.stdout) as EventRecord;
    return [reason ?? name, ...alsoFailed];
  };
  const came = ['--first-card', 'came'];
  t.same(await answer(), ['first_card_required'], 'no journal: nobody has passed anywhere');
  t.same(await answer(...came), ['access.granted']);
  t.same(await answer(...came, '--threat-level', '1'), ['clearance_too_low']);
  t.same(await answer(...came, '--uses', '2'), ['use_limit']);
  t.same(await answer(...came, '--inside', 'hall'), ['apb_violation']);
  t.equal((await run('decision', 'try', 'card-chief', 'front-in', '--inside', 'nowhere')).exitCode, 2);

  const passage = { credentialId: 'card-chief', accessPointId: 'front-in' };
  const moved = { name: 'area.moved', accessPointId: 'front-in', detail: { to: 'hall', certain: 'true' } } as const;
  await writeRecords(dataDir, [
    { ...moved, holderId: 'ada' },
    { ...moved, holderId: 'bob' },
    { name: 'use_limit.changed', ...passage, detail: { uses: '2' } },
    { name: 'first_card.in', doorId: 'front', ...passage, holderId: 'ada', detail: { scope: 'day' } },
  ]);
  t.same(await answer(), ['use_limit', 'apb_violation', 'occupancy_max']);
  t.same(await answer('--outside', '--uses', '1'), ['occupancy_max']);
  const far = await run('decision', 'try', 'card-chief', 'front-in', '--at', '2036-01-07T12:00', '--json');
  t.match(JSON.parse(far.stdout), { reason: 'use_limit', alsoFailed: ['first_card_required'] }, 'presence has ended');
  const told = (await run('decision', 'try', 'card-chief', 'front-in')).stdout;
  t.match(told, 'the holder was in hall');
  t.match(told, 'in hall, those on their way in included: 1');
  t.match(told, 'under way included: 2');
});

t.test('whoever was revoked is tried as revoked, and a policy is as old as it will be then', async (t) => {
  const { run, dataDir, applySite } = await scene(t);
  await applySite((site) =>
    site
      .replace('timeZone:', 'policyStaleness: { maxAgeMs: 86400000, then: deny }, timeZone:')
      .replace('accessPoint: front-in, schedule: office', 'accessPoint: front-in, schedule: always'),
  );
  const tried = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await run('decision', 'try', ...args, '--json');
    return { exitCode, ...JSON.parse(stdout), error: stderr === '' ? undefined : JSON.parse(stderr).code };
  };
  const [dayMs, now] = [86_400_000, Date.now()];
  const inDays = (days: number) => new Date(now + days * dayMs).toISOString().slice(0, 16);
  t.match(await tried('card-chief', 'front-in'), { name: 'access.granted' });
  const stale = await tried('card-chief', 'front-in', '--at', inDays(3));
  t.match(stale, { reason: 'policy_stale' });
  t.ok(stale.inputs.policyAgeMs > 2 * dayMs && stale.inputs.policyAgeMs < 4 * dayMs);

  const revocation = { number: 1, subject: 'holder', id: 'ada', by: 'Grace', atUnixMs: now };
  const path = join(dataDir, 'revocations.jsonl');
  writeFileSync(path, `${JSON.stringify(revocation)}\n`, { mode: 0o600 });
  t.match(await tried('card-chief', 'front-in'), { reason: 'credential_revoked', inputs: { revocations: { hit: 1 } } });
  writeFileSync(path, 'rotten\n', { mode: 0o600 });
  t.match(await tried('card-chief', 'front-in'), {
    name: 'access.granted',
    exitCode: 3,
    error: 'ERR_GATEWAY_REVOCATIONS_DAMAGED',
  });
});
