import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import t from 'tap';
import { CLOUD_WORDS_FILE, CLOUD_WORDS_MAX, CloudWords, WORD_AMISS_MS, WordFile } from '@sparc/edge/emptying';
import { SiteToField } from '@sparc/edge/api';
import { createNodeClock, PART_MESSAGE_MAX, verifySignature } from '@sparc/edge/platform';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import { KEPT_MS } from '@sparc/protocol/ledger';
import type { TimeQuality } from '@sparc/protocol/ports';
import { testSigner } from '../../support/test-signer.js';

const cloud = testSigner(99);
const DAY_MS = 86_400_000;
const BEGIN_UNIX_MS = 1_767_600_000_000;

const wordAt = (issuedUnixMs: number, complete = true) =>
  signAcknowledgement(cloud, { site: 'harbour', issuedUnixMs, complete, heads: [] });

function setUp(quality: TimeQuality = 'synced', errorMs = 0) {
  const now = { unixMs: BEGIN_UNIX_MS, quality, errorMs };
  const words = new CloudWords({
    wall: () => now,
    verify: verifySignature,
    siteId: 'harbour',
    cloudKey: cloud.publicKey,
  });
  return { now, words };
}

t.test('of what the cloud says again and again one a day is kept until it is seven days old', (t) => {
  const { now, words } = setUp();
  let changesCount = 0;
  for (let hour = 0; hour < 30 * 24; hour++) {
    if (words.hear(wordAt(now.unixMs))) changesCount += 1;
    t.equal(words.newest?.issuedUnixMs, now.unixMs);
    if (words.kept.length > CLOUD_WORDS_MAX) t.fail(`${words.kept.length} words`);
    const age = now.unixMs - (words.old?.issuedUnixMs ?? now.unixMs);
    if (hour < 7 * 24 && words.old !== undefined) t.fail('it is too young');
    if (hour > 8 * 24 && (age < KEPT_MS || age > KEPT_MS + 2 * DAY_MS)) t.fail(`${age / DAY_MS} days`);
    now.unixMs += 3_600_000;
  }
  t.ok(changesCount > 25 && changesCount < 70, `${changesCount} writes in 30 days`);
  t.end();
});

t.test('nothing is old while nobody knows the time, and not before it surely is', (t) => {
  for (const quality of ['unsynced', 'stepped'] as const) {
    const { now, words } = setUp(quality);
    words.take(wordAt(now.unixMs - 9 * DAY_MS));
    t.equal(words.old, undefined, quality);
  }
  const { now, words } = setUp('holdover', 60_000);
  words.take(wordAt(now.unixMs - KEPT_MS));
  t.equal(words.old, undefined);
  now.unixMs += 60_000;
  t.ok(words.old);
  t.end();
});

t.test('a word that somebody else has kept is taken where it is old enough, and newer than the old one here', (t) => {
  const { now, words } = setUp();
  const [eight, nine, three] = [8, 9, 3].map((days) => wordAt(now.unixMs - days * DAY_MS)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  words.take(wordAt(now.unixMs));
  t.notOk(words.take(three), 'it is no older than one needs');
  t.equal(words.old, undefined);
  t.ok(words.take(nine));
  t.ok(words.take(eight));
  t.equal(words.old?.signed, eight);
  t.notOk(words.take(nine));
  t.equal(words.old?.signed, eight);
  t.end();
});

t.test('what the cloud says now is taken where its date is about now, by a clock that knows', (t) => {
  for (const [quality, aheadMs, isTaken] of [
    ['synced', 0, true],
    ['holdover', WORD_AMISS_MS, true],
    ['synced', -WORD_AMISS_MS, true],
    ['synced', WORD_AMISS_MS + 1, false],
    ['synced', -30 * DAY_MS, false],
    ['unsynced', 0, false],
    ['stepped', 0, false],
  ] as const) {
    const { now, words } = setUp(quality);
    words.hear(wordAt(now.unixMs + aheadMs));
    t.equal(words.kept.length, isTaken ? 1 : 0, `${quality} ${aheadMs}`);
  }
  t.end();
});

t.test('after a day without a word it is not known any more what the cloud has', (t) => {
  const { now, words } = setUp();
  words.hear(wordAt(now.unixMs));
  now.unixMs += DAY_MS - 1;
  t.ok(words.newest);
  now.unixMs += 1;
  t.equal(words.newest, undefined);
  words.take(wordAt(now.unixMs));
  t.ok(words.newest);
  t.end();
});

t.test('a word that was dated ahead stands in the way of none, whoever brings it and whenever', (t) => {
  for (const quality of ['synced', 'unsynced'] as const) {
    const { now, words } = setUp(quality);
    words.take(wordAt(now.unixMs + 3_650 * DAY_MS));
    now.quality = 'synced';
    t.equal(words.newest, undefined, quality);
    const here = wordAt(now.unixMs);
    t.ok(words.hear(here), quality);
    t.same(
      words.kept.map(({ signed }) => signed),
      [here],
    );
    now.unixMs += 8 * DAY_MS;
    words.hear(wordAt(now.unixMs));
    t.equal(words.old?.signed, here);
    t.ok(words.newest);
  }
  t.end();
});

t.test('a word that is too long for a message of the site process is passed over', (t) => {
  const { now, words } = setUp();
  const long = (count: number) =>
    signAcknowledgement(cloud, {
      site: 'harbour',
      issuedUnixMs: now.unixMs,
      complete: true,
      heads: Array.from({ length: count }, (_, index) => ({
        author: testSigner(index % 64).publicKey,
        epoch: { counter: 1_000 + index, random: new Uint8Array(8).fill(255) },
        sequence: 1_000_000,
        hash: new Uint8Array(32).fill(255),
      })),
    });
  words.hear(long(400));
  t.equal(words.newest, undefined);
  words.hear(long(240));
  t.ok(words.newest);
  const message = { kind: 'copied', words: [long(240), long(240)].map((word) => Buffer.from(word).toString('base64')) };
  t.ok(Value.Check(SiteToField, message));
  t.ok(JSON.stringify(message).length < PART_MESSAGE_MAX);
  t.end();
});

t.test('what is not of all logs, or not the word of the cloud, counts for nothing', (t) => {
  const { now, words } = setUp();
  t.notOk(words.take(wordAt(now.unixMs, false)));
  const others = signAcknowledgement(testSigner(98), {
    site: 'harbour',
    issuedUnixMs: now.unixMs,
    complete: true,
    heads: [],
  });
  t.throws(() => words.take(others), { code: 'ERR_LINK_ACKNOWLEDGEMENT_INVALID' });
  t.equal(words.newest, undefined);
  t.end();
});

t.test('words are kept over a start; a file that is damaged is told, and goes with the next one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-words-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const failures: string[] = [];
  const open = () => {
    const { now, words } = setUp();
    const file = new WordFile(
      { clock: createNodeClock(), words, onFailure: (_error, what) => failures.push(what) },
      folder,
    );
    file.load();
    return { now, words, file };
  };
  const first = open();
  const said = [9, 8, 2].map((days) => wordAt(first.now.unixMs - days * DAY_MS));
  for (const word of said) first.file.take(word);
  first.file.hear(wordAt(first.now.unixMs));
  await first.file.stop();
  const second = open();
  t.same(
    second.words.kept.map(({ issuedUnixMs }) => (second.now.unixMs - issuedUnixMs) / DAY_MS),
    [8, 2, 0],
  );
  const path = join(folder, CLOUD_WORDS_FILE);
  t.match(JSON.parse(await readFile(path, 'utf8')), { words: { length: 3 } });
  await second.file.stop();
  await writeFile(path, '{"words":["AAAA"]}');
  const third = open();
  t.equal(third.words.newest, undefined);
  t.same(failures, ['words of the cloud that were kept cannot be read']);
});
