import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CLOUD_WORDS_FILE, CLOUD_WORDS_MAX, CloudWords, KEPT_MS, WordFile } from '@sparc/edge/emptying';
import { createNodeClock, verifySignature } from '@sparc/edge/platform';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import type { SignedHead } from '@sparc/protocol/ledger';
import type { TimeQuality } from '@sparc/protocol/ports';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const cloud = testSigner(99);
const DAY_MS = 86_400_000;
const BEGIN_UNIX_MS = 1_767_600_000_000;

const wordAt = (issuedUnixMs: number, heads: readonly SignedHead[] = [], complete = true) =>
  signAcknowledgement(cloud, { site: 'harbour', issuedUnixMs, complete, heads: [...heads] });

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
    if (words.take(wordAt(now.unixMs))) changesCount += 1;
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
  const chain = new TestChain();
  chain.open(1);
  const { head } = chain.open(2);
  const [eight, nine, three] = [8, 9, 3].map((days) => wordAt(now.unixMs - days * DAY_MS, [head]));
  words.take(wordAt(now.unixMs, [head]));
  t.notOk(words.covers(head));
  t.ok(words.isSought(head));
  t.notOk(words.take(three as Uint8Array), 'it is no older than one needs');
  t.ok(words.take(nine as Uint8Array));
  t.ok(words.covers(head));
  t.ok(words.take(eight as Uint8Array));
  t.equal(words.old?.signed, eight);
  t.notOk(words.take(nine as Uint8Array));
  t.notOk(words.covers({ ...head, sequence: head.sequence + 1 }), 'behind what it had');
  t.notOk(words.isSought(head));
  t.end();
});

t.test('what is not of all logs, or not the word of the cloud, counts for nothing', (t) => {
  const { now, words } = setUp();
  t.notOk(words.take(wordAt(now.unixMs, [], false)));
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
  await first.file.stop();
  const second = open();
  t.same(
    second.words.kept.map(({ issuedUnixMs }) => (second.now.unixMs - issuedUnixMs) / DAY_MS),
    [8, 2],
  );
  const path = join(folder, CLOUD_WORDS_FILE);
  t.match(JSON.parse(await readFile(path, 'utf8')), { words: { length: 2 } });
  await second.file.stop();
  await writeFile(path, '{"words":["AAAA"]}');
  const third = open();
  t.equal(third.words.newest, undefined);
  t.same(failures, ['words of the cloud that were kept cannot be read']);
});
