import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { act, ACTS_WAITING_MAX, Audit, type ConfigMark } from '@sparc/edge/audit';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { EventDraft, EventRecord } from '@sparc/protocol/events';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { eventFaults } from '../../support/event-faults.js';
import { eventually } from '../../support/peers.js';

const START = Date.parse('2026-03-02T08:00:00Z');
const MARK: ConfigMark = { file: 'configuration', sha256: 'a1'.repeat(32), modifiedAtUnixMs: START };
/** Longer than the pause between two looks. */
const LOOK_MS = 2_500;

function scene(t: Test) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sparc-audit-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const clock = new VirtualClock({ startUnixMs: START });
  const random = new SeededRandom(1);
  const records: EventRecord[] = [];
  const failures: string[] = [];
  const journal = { works: true, triesCount: 0 };
  const facts = (upTo: string) => ({ format: 'lines', upTo });
  const doing = (work: () => Promise<string> | string) =>
    act(dataDir, { clock, random }, { name: 'ledger.exported', by: 'Ada', account: 'root', work, facts });
  const start = (...configFiles: readonly ConfigMark[]) => {
    const audit = new Audit({
      clock,
      dataDir,
      configFiles,
      record: async (event: EventDraft) => {
        journal.triesCount += 1;
        if (journal.works) records.push(event);
        return journal.works;
      },
      onFailure: (_error, what) => failures.push(what),
    });
    audit.start();
    t.teardown(() => audit.stop());
    return audit;
  };
  const notes = () => readdirSync(join(dataDir, 'acts'));
  return { dataDir, clock, random, records, failures, journal, doing, start, notes };
}

t.test('what was done while no gateway ran is recorded at its start, once, and its note is gone', async (t) => {
  const { clock, records, doing, start, notes } = scene(t);
  t.equal(await doing(() => '3.17'), '3.17');
  await clock.advance(60_000);
  const audit = start();
  await eventually('it is recorded', () => records.length === 1 && notes().length === 0);
  t.match(records, [
    {
      name: 'ledger.exported',
      detail: { by: 'Ada', account: 'root', at: '2026-03-02T08:00:00.000Z', outcome: 'done', upTo: '3.17' },
    },
  ]);
  t.same(records.flatMap(eventFaults), []);
  audit.stop();
  start();
  await doing(() => '4.1');
  await eventually('the next is recorded', async () => {
    await clock.advance(LOOK_MS);
    return records.length > 1;
  });
  t.match(records, [{ detail: { upTo: '3.17' } }, { detail: { upTo: '4.1' } }]);
});

t.test('what fails is recorded with its code, and fails as it would have', async (t) => {
  const { records, doing, start } = scene(t);
  const refused = new SparcError('ERR_CLI_WRITE_FAILED', 'no space');
  await t.rejects(
    doing(() => {
      throw refused;
    }),
    refused,
  );
  start();
  await eventually('it is recorded', () => records.length === 1);
  t.match(records, [{ code: 'ERR_CLI_WRITE_FAILED', detail: { outcome: 'failed' } }]);
});

t.test('an act that goes on is waited for, and one that was cut off is recorded as unknown', async (t) => {
  const { clock, records, doing, start } = scene(t);
  let end: (upTo: string) => void = () => undefined;
  const goesOn = doing(() => new Promise((resolve) => (end = resolve)));
  void doing(() => new Promise(() => undefined));
  start();
  await clock.advance(LOOK_MS);
  end('1.1');
  await goesOn;
  await eventually('the one that ended is recorded', async () => {
    await clock.advance(LOOK_MS);
    return records.length === 1;
  });
  t.match(records, [{ detail: { outcome: 'done' } }]);
  await clock.advance(3_600_000);
  await eventually('the other is recorded', async () => {
    await clock.advance(LOOK_MS);
    return records.length === 2;
  });
  t.match(records[1], { detail: { outcome: 'unknown' } });
});

t.test('nothing is done that cannot be noted', async (t) => {
  const full = scene(t);
  mkdirSync(join(full.dataDir, 'acts'));
  for (let n = 0; n < ACTS_WAITING_MAX; n++) writeFileSync(join(full.dataDir, 'acts', `${n}.json`), '');
  const barred = scene(t);
  writeFileSync(join(barred.dataDir, 'acts'), 'a file where the folder should be');
  for (const { doing } of [full, barred]) {
    let isDone = false;
    const error = await doing(() => {
      isDone = true;
      return '';
    }).catch((cause: unknown) => cause);
    t.ok(isSparcError(error, 'ERR_CLI_ACT_UNRECORDED'));
    t.notOk(isDone);
  }
});

t.test('a note stays until the journal has its record', async (t) => {
  const { clock, records, journal, doing, start, notes } = scene(t);
  await doing(() => '1.1');
  journal.works = false;
  start();
  await eventually('it was tried', () => journal.triesCount === 1);
  journal.works = true;
  await eventually('it is recorded', async () => {
    await clock.advance(LOOK_MS);
    return records.length === 1 && notes().length === 0;
  });
  t.pass();
});

t.test('what is no note of an act is an alarm, and in nobody’s way', async (t) => {
  const { dataDir, records, doing, start } = scene(t);
  mkdirSync(join(dataDir, 'acts'));
  const note = { name: 'ledger.exported', by: 'x', account: 'x', atUnixMs: 1, outcome: 'done', facts: {} };
  const forged = [
    '{',
    '[]',
    JSON.stringify({ ...note, name: 'access.granted' }),
    JSON.stringify({ ...note, facts: { credentialId: 'ann' } }),
    JSON.stringify({ ...note, by: 'x'.repeat(5_000) }),
  ];
  for (const [n, text] of forged.entries()) writeFileSync(join(dataDir, 'acts', `0-${n}.json`), text);
  await doing(() => '1.1');
  start();
  await eventually('all are recorded', () => records.length === forged.length + 1);
  t.same(
    records.map(({ name }) => name),
    [...forged.map(() => 'audit.unreadable'), 'ledger.exported'],
  );
  t.same(records.flatMap(eventFaults), []);
});

t.test('a note that cannot be read is one alarm and no obstacle, and is recorded once it can be', async (t) => {
  const { dataDir, clock, records, failures, doing, start } = scene(t);
  const unreadable = join(dataDir, 'acts', '0-barred.json');
  mkdirSync(unreadable, { recursive: true });
  await doing(() => '1.1');
  start();
  await eventually('the others are recorded', () => records.length === 2);
  t.match(records, [
    { name: 'audit.unreadable', code: 'ERR_GATEWAY_ACT_UNREADABLE', detail: { act: '0-barred' } },
    { name: 'ledger.exported' },
  ]);
  t.same(records.flatMap(eventFaults), []);
  await doing(() => '1.2');
  await eventually('the next is recorded', async () => {
    await clock.advance(LOOK_MS);
    return records.length === 3;
  });
  t.equal(failures.length, 1);
  rmSync(unreadable, { recursive: true });
  writeFileSync(
    unreadable,
    JSON.stringify({ name: 'ledger.exported', by: 'Bea', account: 'x', atUnixMs: 1, outcome: 'done', facts: {} }),
  );
  await eventually('it is recorded', async () => {
    await clock.advance(LOOK_MS);
    return records.length === 4;
  });
  t.match(records[3], { name: 'ledger.exported', detail: { by: 'Bea' } });
});

t.test('where the folder of the notes cannot be read, that is an alarm, and not that nothing waits', async (t) => {
  const { dataDir, clock, records, doing, start } = scene(t);
  writeFileSync(join(dataDir, 'acts'), 'a file where the folder should be');
  start();
  await eventually('it is recorded', async () => {
    await clock.advance(LOOK_MS);
    return records.length > 0;
  });
  rmSync(join(dataDir, 'acts'));
  await doing(() => '1.1');
  await eventually('what comes after is recorded', async () => {
    await clock.advance(LOOK_MS);
    return records.length > 1;
  });
  t.match(records, [{ name: 'audit.unreadable', code: 'ERR_GATEWAY_ACT_UNREADABLE' }, { name: 'ledger.exported' }]);
  t.notOk('detail' in (records[0] ?? {}));
  t.same(records.flatMap(eventFaults), []);
});

t.test('a mark of a configuration that cannot be read is not taken for a first start', async (t) => {
  const { dataDir, records, failures, start } = scene(t);
  mkdirSync(join(dataDir, 'configuration.sha256'));
  start(MARK);
  await eventually('it is said', () => failures.length === 1);
  t.same(records, []);
  t.same(failures, ['the configuration of this start cannot be noted']);
});

t.test('a configuration that is another than at the last start is recorded, the first is not', async (t) => {
  const { dataDir, records, journal, start } = scene(t);
  const other: ConfigMark = { ...MARK, sha256: 'b2'.repeat(32), modifiedAtUnixMs: START + 1_000 };
  const keys: ConfigMark = { ...MARK, file: 'osdpKeys' };
  const settled = () =>
    eventually('it is noted', () =>
      ['configuration.sha256', 'osdpKeys.sha256'].every((name) => readdirSync(dataDir).includes(name)),
    );
  start(MARK, keys).stop();
  await settled();
  start(MARK, keys).stop();
  journal.works = false;
  start(other, keys).stop();
  await eventually('it was tried', () => journal.triesCount === 1);
  journal.works = true;
  start(other, keys).stop();
  await eventually('it is recorded and noted', () => {
    const noted = readFileSync(join(dataDir, 'configuration.sha256'), 'utf8');
    return records.length === 1 && noted === other.sha256;
  });
  t.match(records, [
    {
      name: 'config.changed',
      detail: { file: 'configuration', from: MARK.sha256, to: other.sha256, modifiedAt: '2026-03-02T08:00:01.000Z' },
    },
  ]);
  start(other, { ...keys, sha256: other.sha256 });
  await eventually('the other file is recorded', () => records.length === 2);
  t.match(records[1], { detail: { file: 'osdpKeys', to: other.sha256 } });
});
