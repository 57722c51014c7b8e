import t from 'tap';
import {
  EPOCH_ABOVE_PAUSE_MS,
  EPOCHS_ABOVE_MAX,
  EPOCHS_AHEAD_MAX,
  JournalWriter,
  nodeCrypto,
  type JournalStartReport,
  type JournalWriterOptions,
} from '@sparc/edge/ledger';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { EventRecord } from '@sparc/protocol/events';
import { compareHlc, HLC_AHEAD_MAX_MS, HLC_TOLERATED_MAX_MS } from '@sparc/protocol/hlc';
import { decodeEvent, EntryContent, EpochBody, nextLink, type Link } from '@sparc/protocol/ledger';
import type { AppendedEntry } from '@sparc/protocol/ports';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { MemoryLogStore } from '../../support/memory-log-store.js';
import { testSigner } from '../../support/test-signer.js';

const granted: EventRecord = { name: 'access.granted', accessPointId: 'front', credentialId: 'anna' };
const opened: EventRecord = { name: 'door.opened', doorId: 'front' };
const loaded = (revision: string): EventRecord => ({ name: 'policy.loaded', detail: { revision } });
const diskFull = new SparcError('ERR_LEDGER_WRITE_FAILED', 'full');

class Site {
  readonly clock = new VirtualClock();
  readonly store = new MemoryLogStore();
  readonly writable: boolean[] = [];
  readonly fatal: SparcError[] = [];
  writer!: JournalWriter;
  #starts = 0;

  async start(options: Partial<JournalWriterOptions> = {}, signer = testSigner()): Promise<JournalStartReport> {
    const random = new SeededRandom(++this.#starts);
    const deps = { store: this.store, signer, clock: this.clock, random, crypto: nodeCrypto };
    this.writer = new JournalWriter(
      deps,
      { siteId: 'harbour', ...options },
      { onWritable: (writable) => this.writable.push(writable), onFatal: (error) => this.fatal.push(error) },
    );
    return this.writer.start();
  }

  append(record: EventRecord, expectedPolicyRevision?: string): Promise<AppendedEntry> {
    return this.writer.append({ record, ...(expectedPolicyRevision !== undefined && { expectedPolicyRevision }) });
  }

  get contents(): EntryContent[] {
    return this.store.entries(undefined, 1e6).map(({ content }) => EntryContent.decode(content));
  }

  get events(): ReturnType<typeof decodeEvent>[] {
    return this.contents.filter(({ kind }) => kind === 'event').map(({ body }) => decodeEvent(body));
  }
}

const outcome = (promise: Promise<AppendedEntry>) =>
  promise.then(
    ({ id }) => `${id.epoch}/${id.sequence}`,
    (error: unknown) => (isSparcError(error) ? error.code : String(error)),
  );

t.test('each start opens an epoch that names the head before it', async (t) => {
  const site = new Site();
  t.match(await site.start(), { epoch: { counter: 1 }, openGrants: [], writable: true });
  const first = await site.append(opened);
  t.match(first.id, { epoch: 1, sequence: 2 });
  await site.writer.stop();
  t.match(await site.start(), { epoch: { counter: 2 } });
  const [, , second] = site.contents;
  t.equal(second?.kind, 'epoch');
  t.match(EpochBody.decode(second?.body ?? Uint8Array.of()), {
    previous: { epoch: { counter: 1 }, sequence: 2 },
    predecessorLost: false,
  });
  let link: Link | undefined;
  for (const entry of site.store.entries(undefined, 9)) {
    link = nextLink(nodeCrypto, testSigner().publicKey, link, entry).link;
  }
});

/** Checks the chain on the way. */
function placesOf({ store }: Site): string[] {
  let link: Link | undefined;
  return store.entries(undefined, 1e6).map((entry) => {
    link = nextLink(nodeCrypto, testSigner().publicKey, link, entry).link;
    return `${entry.epoch.counter}/${entry.sequence}`;
  });
}

t.test('an epoch that another branch of the log has is gone above at once, also by the next start', async (t) => {
  const site = new Site();
  await site.start();
  const before = outcome(site.append(opened));
  site.writer.openEpochAbove(4);
  const after = outcome(site.append(opened));
  t.strictSame([await before, await after], ['5/2', '5/3'], 'what waited has no name yet');
  site.writer.openEpochAbove(4);
  site.writer.openEpochAbove(5);
  await site.clock.settle();
  await site.writer.stop();
  await site.start();
  t.equal(await outcome(site.append(opened)), '7/2');
  t.strictSame(placesOf(site), ['1/1', '5/1', '5/2', '5/3', '6/1', '7/1', '7/2']);
  const bodies = site.contents.filter(({ kind }) => kind === 'epoch').map(({ body }) => EpochBody.decode(body));
  t.match(bodies[1], { previous: { epoch: { counter: 1 }, sequence: 1 }, predecessorLost: false });
  t.match(bodies[2], { previous: { epoch: { counter: 5 }, sequence: 3 } });
});

t.test('an epoch that is under way to the disk keeps its name, and the next one is above', async (t) => {
  const site = new Site();
  await site.start();
  site.store.hold();
  const first = outcome(site.append(opened));
  await site.clock.settle();
  site.writer.openEpochAbove(1);
  const second = outcome(site.append(opened));
  site.store.release();
  t.strictSame([await first, await second], ['1/2', '2/2']);
});

t.test('a full disk that refused an epoch takes it with its newer name, and once', async (t) => {
  const site = new Site();
  site.store.failure = diskFull;
  await site.start();
  site.writer.openEpochAbove(3);
  await site.clock.settle();
  site.store.failure = undefined;
  t.equal(await outcome(site.append(opened)), '4/2');
  t.strictSame(placesOf(site), ['4/1', '4/2']);
});

t.test('whoever has the key can neither exhaust the epochs nor fill the log with them', async (t) => {
  const site = new Site();
  await site.start();
  site.writer.openEpochAbove(EPOCHS_AHEAD_MAX + 2);
  t.equal(await outcome(site.append(opened)), '1/2');
  const goAbove = async (times: number) => {
    for (let each = 0; each < times; each++) {
      const { epoch } = (await site.append(opened)).id;
      site.writer.openEpochAbove(epoch + 1);
    }
    return (await site.append(opened)).id.epoch;
  };
  const reached = 1 + 2 * EPOCHS_ABOVE_MAX;
  t.equal(await goAbove(3 * EPOCHS_ABOVE_MAX), reached);
  await site.clock.advance(EPOCH_ABOVE_PAUSE_MS);
  t.equal(await goAbove(3), reached + 2);
});

t.test('entries that wait together share one flush, and keep their order', async (t) => {
  const site = new Site();
  await site.start();
  site.store.hold();
  const first = outcome(site.append(opened));
  await site.clock.settle();
  const rest = Array.from({ length: 300 }, () => outcome(site.append(opened)));
  site.store.release();
  t.same(
    await Promise.all([first, ...rest]),
    Array.from({ length: 301 }, (_, index) => `1/${index + 2}`),
  );
  t.same(
    site.store.commits.map(({ entries }) => entries.length),
    [1, 1, 256, 44],
  );
});

t.test('nobody hears of an entry before the disk has it', async (t) => {
  const site = new Site();
  await site.start();
  site.store.hold();
  let heard = false;
  const appended = site.append(granted).then(() => (heard = true));
  await site.clock.run(60_000);
  t.notOk(heard);
  site.store.release();
  await appended;
  t.equal(site.store.commits.length, 2);
});

t.test('a record of a decision is refused when the policy has moved since', async (t) => {
  const site = new Site();
  await site.start();
  t.equal(await outcome(site.append(granted, 'r1')), 'ERR_LEDGER_RACE_LOST', 'before any policy');
  const together = [
    site.append(loaded('r1')),
    site.append(granted, 'r1'),
    site.append(loaded('r2')),
    site.append(granted, 'r1'),
    site.append(granted, 'r2'),
  ].map(outcome);
  t.same(await Promise.all(together), ['1/2', '1/3', '1/4', 'ERR_LEDGER_RACE_LOST', '1/5']);
  await site.writer.stop();
  t.equal((await site.start()).policyRevision, 'r2', 'and a new start knows it');
  t.equal(await outcome(site.append(granted, 'r2')), '2/2');
});

t.test(
  'a record of a decision is refused when somebody was revoked since, in this run or the one before',
  async (t) => {
    const site = new Site();
    await site.start();
    const grant = (seenRevocation: number) => outcome(site.writer.append({ record: granted, seenRevocation }));
    const revoked = (number: number) =>
      outcome(
        site.append({ name: 'revocation.applied', credentialId: 'bob', detail: { by: 'Ada', number: `${number}` } }),
      );
    const together = [grant(0), revoked(1), grant(0), grant(1), revoked(2), grant(1), grant(2)];
    t.same(await Promise.all(together), [
      '1/2',
      '1/3',
      'ERR_LEDGER_RACE_LOST',
      '1/4',
      '1/5',
      'ERR_LEDGER_RACE_LOST',
      '1/6',
    ]);
    await site.writer.stop();
    t.equal((await site.start()).newestRevocation, 2);
    t.equal(await grant(1), 'ERR_LEDGER_RACE_LOST', 'a list that went back in time grants nothing');
    t.equal(await grant(2), '2/2');
  },
);

t.test('a start reports the grants of which no outcome is recorded', async (t) => {
  const site = new Site();
  await site.start();
  const grants = await Promise.all(Array.from({ length: 5 }, () => site.append(granted)));
  const outcomes = ['access.released', 'access.not_executed', 'access.outcome_unknown', 'access.abandoned'] as const;
  for (const [index, name] of outcomes.entries()) await site.append({ name, causeId: grants[index]!.id });
  await site.append({ name: 'access.used', causeId: grants[4]!.id });
  const open = [{ id: grants[4]?.id, record: granted }];
  t.match((await site.start()).openGrants, open);
  const again = (await site.start()).openGrants;
  t.match(again, open, 'again, when a crash came before they were closed');
  await site.append({ name: 'access.outcome_unknown', causeId: again[0]!.id });
  t.same((await site.start()).openGrants, []);
});

t.test('a start reports the released grants of which it is not said whether they were used', async (t) => {
  const site = new Site();
  await site.start();
  const outcomes = ['access.used', 'access.not_used', 'access.unverified', undefined] as const;
  for (const name of outcomes) {
    const { id: causeId } = await site.append(granted);
    await site.append({ name: 'access.released', causeId });
    if (name !== undefined) await site.append({ name, causeId });
  }
  const { openGrants, releasedGrants } = await site.start();
  t.same(openGrants, []);
  t.match(releasedGrants, [{ record: granted }]);
  t.equal(releasedGrants.length, 1);
  await site.append({ name: 'access.unverified', causeId: releasedGrants[0]!.id });
  t.same((await site.start()).releasedGrants, []);
});

t.test('a full disk refuses, counts, and the journal goes on with a gap when space returns', async (t) => {
  const site = new Site();
  await site.start();
  site.store.failure = diskFull;
  const since = site.clock.wall().unixMs;
  t.equal(await outcome(site.append(granted)), 'ERR_LEDGER_WRITE_FAILED');
  t.equal(await outcome(site.append(loaded('r9'))), 'ERR_LEDGER_WRITE_FAILED');
  t.same(site.writable, [false]);
  await site.clock.run(60_000);
  site.store.failure = undefined;
  await site.clock.run(120_000);
  t.same(site.writable, [false, true], 'by itself');
  t.same(site.events, [
    { name: 'journal.gap', code: 'ERR_LEDGER_WRITE_FAILED', detail: { refused: '2', sinceUnixMs: String(since) } },
  ]);
  t.equal(await outcome(site.append(granted, 'r9')), '1/3', 'a policy whose record was lost is in force all the same');
});

t.test('a start on a full disk is a start, and its epoch is written when space returns', async (t) => {
  const site = new Site();
  site.store.failure = diskFull;
  t.match(await site.start(), { writable: false });
  t.equal(await outcome(site.append(opened)), 'ERR_LEDGER_WRITE_FAILED');
  site.store.failure = undefined;
  t.equal(await outcome(site.append(opened)), '1/3');
  t.same(
    site.contents.map(({ kind }) => kind),
    ['epoch', 'event', 'event'],
  );
});

t.test('a queue that is full refuses, and says how much it refused', async (t) => {
  const site = new Site();
  await site.start({ queueMax: 2 });
  site.store.hold();
  const first = outcome(site.append(opened));
  await site.clock.settle();
  const rest = [1, 2, 3, 4].map(() => outcome(site.append(opened)));
  site.store.release();
  const full = 'ERR_LEDGER_QUEUE_FULL';
  t.same(await Promise.all([first, ...rest]), ['1/2', '1/4', '1/5', full, full]);
  t.match(site.events[1], { name: 'journal.gap', code: full, detail: { refused: '2' } });
});

t.test('a record that fits into no entry is refused alone', async (t) => {
  const site = new Site();
  await site.start();
  const long = { name: 'door.opened', doorId: 'x'.repeat(200) } as const;
  const all = [site.append(opened), site.append(long), site.append(opened)].map(outcome);
  t.same(await Promise.all(all), ['1/3', 'ERR_LEDGER_MALFORMED', '1/4']);
  t.match(site.events[0], { name: 'journal.gap', code: 'ERR_LEDGER_MALFORMED', detail: { refused: '1' } });
});

t.test('stop writes what waits, and refuses what comes after', async (t) => {
  const site = new Site();
  await site.start();
  const last = outcome(site.append(opened));
  await site.writer.stop();
  t.equal(await last, '1/2');
  t.equal(await outcome(site.append(opened)), 'ERR_LEDGER_STOPPED');
  await site.writer.stop();
});

t.test('a store that cannot go on stops the writer', async (t) => {
  const site = new Site();
  await site.start();
  site.store.failure = new SparcError('ERR_LEDGER_CORRUPT', 'damaged');
  t.equal(await outcome(site.append(opened)), 'ERR_LEDGER_WRITE_FAILED');
  t.match(site.fatal, [{ code: 'ERR_LEDGER_CORRUPT' }]);
  t.equal(await outcome(site.append(opened)), 'ERR_LEDGER_STOPPED');
});

t.test('clock stamps rise with the sequence, whatever wall time does', async (t) => {
  const site = new Site();
  await site.start();
  for (const step of [0, -3_600_000, 7_200_000, -1]) {
    site.clock.stepWall(step, 'stepped');
    await site.append(opened);
  }
  await site.writer.stop();
  site.clock.stepWall(-86_400_000);
  await site.start();
  const stamps = site.contents.map(({ hlc }) => hlc);
  for (const [index, hlc] of stamps.slice(1).entries()) t.ok(compareHlc(hlc, stamps[index]!) > 0);
});

t.test('a witness beyond the end of the log is a loss that the new epoch records', async (t) => {
  const site = new Site();
  await site.start();
  await site.append(opened);
  const witness = (await site.append(opened), site.store.tail()!.head);
  site.store.commits.pop();
  t.match(await site.start({ witness }), { epoch: { counter: 2 }, loss: { code: 'ERR_LEDGER_TAIL_MISSING' } });
  t.match(site.events.at(-1), { name: 'journal.gap', code: 'ERR_LEDGER_TAIL_MISSING' });
  site.store.commits.length = 0;
  t.match(await site.start({ witness }), { epoch: { counter: 2 }, loss: { code: 'ERR_LEDGER_TAIL_MISSING' } });
  t.match(EpochBody.decode(site.contents[0]!.body), { previous: { sequence: 3 }, predecessorLost: true });
  await site.writer.stop();
  t.notOk(
    (await site.start({ witness: { ...witness, author: testSigner(2).publicKey } })).loss,
    'one of another key is not',
  );
});

t.test('a log of another key or with a damaged end is not continued', async (t) => {
  const site = new Site();
  await site.start();
  await site.append(opened);
  await t.rejects(site.start({}, testSigner(2)), { code: 'ERR_LEDGER_AUTHOR_MISMATCH' });
  const tail = site.store.commits.at(-1)!;
  const content = Uint8Array.from(tail.entries[0]!.content);
  content[content.length - 1]! ^= 1;
  site.store.commits[1] = { ...tail, entries: [{ ...tail.entries[0]!, content }] };
  await t.rejects(site.start(), { code: 'ERR_LEDGER_CORRUPT' });
  site.store.commits[1] = { ...tail, head: { ...tail.head, signature: new Uint8Array(64) } };
  await t.rejects(site.start(), { code: 'ERR_LEDGER_CORRUPT' });
  site.store.commits[1] = tail;
  await site.start();
});

t.test('what is recorded comes after what was heard before, unless that is of a clock far ahead', async (t) => {
  const site = new Site();
  await site.start();
  const { unixMs } = site.clock.wall();
  const heard = { unixMs: unixMs + HLC_AHEAD_MAX_MS - 1, counter: 3 };
  site.writer.observe({ unixMs: unixMs + HLC_TOLERATED_MAX_MS + 1, counter: 0 });
  await site.append(opened);
  const { hlc: alone = heard } = site.contents.at(-1) ?? {};
  t.ok(compareHlc(alone, heard) < 0);
  site.writer.observe(heard);
  await site.append(opened);
  const { hlc: after = alone } = site.contents.at(-1) ?? {};
  t.ok(compareHlc(after, heard) > 0);
  t.equal(after.unixMs, heard.unixMs, 'and no further ahead than that');
  site.writer.observe({ unixMs, counter: 0 });
  await site.append(opened);
  t.ok(compareHlc(site.contents.at(-1)?.hlc ?? alone, after) > 0, 'what was heard late takes nothing back');
});
