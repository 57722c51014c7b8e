import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { COURIER_SMALL_BYTES_MAX, CourierInbox, InboxFolder, type Taken } from '@sparc/edge/courier';
import { nodeCrypto } from '@sparc/edge/ledger';
import { DISK_FREE_BYTES_MIN } from '@sparc/edge/replica';
import { writeCourier, type CourierItem } from '@sparc/protocol/courier';
import { SparcError } from '@sparc/protocol/errors';
import { signRoster } from '@sparc/protocol/roster';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { keyOf, member, rosterWith } from '../../support/roster.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const SECRET = new Uint8Array(32).fill(7);
const SECOND_MS = 1_000;
const chain = new TestChain(testSigner(2));
const BATCHES = batchesOf([chain.open(1), chain.add({ name: 'door.opened', doorId: 'front' }), chain.open(2)]);
const PARTS = [1, 2, 3].map((value) => ({ part: new Uint8Array(600_000).fill(value) }));
const ITEMS: readonly CourierItem[] = [...BATCHES.map((batch) => ({ batch })), ...PARTS];

let seed = 0;
function fileOf(items: readonly CourierItem[], maker = 1): Buffer {
  const roster = signRoster(testSigner(9), rosterWith([member(1)]));
  const opening = { site: 'harbour', maker: keyOf(maker), madeUnixMs: 1, roster };
  const deps = { signer: testSigner(maker), random: new SeededRandom((seed += 1)), crypto: nodeCrypto };
  return Buffer.concat([...writeCourier(deps, { present: SECRET, previous: [] }, opening, items)]);
}

function scene(t: Test) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sparc-inbox-'));
  t.teardown(() => rmSync(dataDir, { recursive: true }));
  const clock = new VirtualClock();
  const folder = new InboxFolder(dataDir);
  const seen = {
    taken: [] as Taken[],
    refused: [] as string[],
    failures: [] as unknown[],
    batchesCount: 0,
    partsAtOnce: [] as number[],
  };
  const disk = { refuses: false, onBatch: () => undefined as void };
  const inbox = new CourierInbox(
    {
      clock,
      crypto: nodeCrypto,
      secrets: () => [SECRET],
      admit: ({ maker }) => {
        if (maker !== keyOf(1)) throw new SparcError('ERR_COURIER_MAKER_UNKNOWN', 'a stranger');
      },
      takeBatch: ({ contents }) => {
        if (disk.refuses) throw new SparcError('ERR_LEDGER_WRITE_FAILED', 'the disk is full');
        seen.batchesCount += 1;
        disk.onBatch();
        return contents.length;
      },
      takeParts: (parts) => {
        seen.partsAtOnce.push(parts.length);
        return parts.length;
      },
      onTaken: (taken) => seen.taken.push(taken),
      onRefused: (courier, { code }) => seen.refused.push(`${courier} ${code}`),
      onFailure: (error) => seen.failures.push(error),
    },
    folder,
  );
  t.teardown(() => inbox.stop());
  const bring = (file: Uint8Array): string =>
    folder.bring({ clock, random: new SeededRandom(1) }, { sizeBytes: file.length, pieces: [file] }, () => undefined)
      .courier;
  return { dataDir, clock, folder, inbox, disk, seen, bring };
}

t.test('couriers are taken in the order in which they were brought, and once', async (t) => {
  const { clock, folder, inbox, seen, bring } = scene(t);
  const first = bring(fileOf(ITEMS));
  await clock.advance(SECOND_MS);
  const second = bring(fileOf(BATCHES.slice(0, 1).map((batch) => ({ batch }))));
  inbox.start();
  await clock.advance(SECOND_MS);
  t.strictSame(seen.taken, [
    { courier: first, maker: keyOf(1), entriesCount: 3, partsCount: 3, detachedCount: 0 },
    { courier: second, maker: keyOf(1), entriesCount: 1, partsCount: 0, detachedCount: 0 },
  ]);
  t.strictSame(seen.partsAtOnce, [2, 1], 'a flush of the disk for many parts');
  t.strictSame(folder.list(), []);
  await clock.advance(10 * SECOND_MS);
  t.equal(seen.taken.length, 2);
  const third = bring(fileOf([]));
  await clock.advance(2 * SECOND_MS);
  t.equal(seen.taken.at(-1)?.courier, third, 'also one that comes while it runs');
});

t.test('one that is refused keeps none of those behind it', async (t) => {
  const { clock, folder, inbox, seen, bring } = scene(t);
  const cut = bring(fileOf(ITEMS).subarray(0, -1));
  await clock.advance(SECOND_MS);
  const strange = bring(fileOf(ITEMS, 3));
  await clock.advance(SECOND_MS);
  const whole = bring(fileOf([]));
  inbox.start();
  await clock.advance(SECOND_MS);
  t.strictSame(seen.refused, [`${cut} ERR_COURIER_DAMAGED`, `${strange} ERR_COURIER_MAKER_UNKNOWN`]);
  t.equal(seen.batchesCount, BATCHES.length, 'what came before the damage counts, of a stranger nothing');
  t.strictSame(
    seen.taken.map(({ courier }) => courier),
    [whole],
  );
  t.strictSame(folder.list(), []);
});

t.test('what the own disk refuses waits, and is taken once there is room', async (t) => {
  const { clock, folder, inbox, disk, seen, bring } = scene(t);
  const courier = bring(fileOf(ITEMS));
  disk.refuses = true;
  inbox.start();
  await clock.advance(10 * SECOND_MS);
  t.equal(seen.failures.length, 1, 'it is not tried all the time');
  t.strictSame(folder.list(), [courier]);
  disk.refuses = false;
  await clock.advance(60 * SECOND_MS);
  t.equal(seen.taken.length, 1);
  t.strictSame(seen.refused, []);
  t.strictSame(folder.list(), []);
});

t.test('a gateway that stops while it takes one takes it at its next start', async (t) => {
  const { clock, folder, inbox, disk, seen, bring } = scene(t);
  const courier = bring(fileOf(ITEMS));
  disk.onBatch = () => void inbox.stop();
  inbox.start();
  await clock.advance(10 * SECOND_MS);
  t.ok(seen.batchesCount > 0);
  t.strictSame(seen.taken, []);
  t.strictSame(folder.list(), [courier]);
});

t.test('a file that its check refuses, or that breaks off, leaves nothing behind', async (t) => {
  const { dataDir, clock, folder } = scene(t);
  const deps = { clock, random: new SeededRandom(1) };
  const refuse = () => {
    throw new Error('not that one');
  };
  t.throws(() => folder.bring(deps, { sizeBytes: 1, pieces: [new Uint8Array(1)] }, refuse), /not that one/);
  function* broken(): Generator<Uint8Array> {
    yield new Uint8Array(1);
    throw new Error('the stick was pulled');
  }
  t.throws(() => folder.bring(deps, { sizeBytes: 2, pieces: broken() }, () => undefined), /pulled/);
  t.strictSame(readdirSync(join(dataDir, 'mesh', 'inbox')), []);
});

t.test('a file that the disk has no room for is refused before it is copied', async (t) => {
  const { clock, folder } = scene(t);
  const untouched = { sizeBytes: Number.MAX_SAFE_INTEGER, pieces: [] };
  const deps = { clock, random: new SeededRandom(1) };
  t.throws(() => folder.bring(deps, untouched, () => t.fail('it is looked at')), { code: 'ERR_COURIER_NO_ROOM' });
});

t.test('a full disk takes a courier that is as small as an expulsion, and none that would fill it', async (t) => {
  const { dataDir, clock } = scene(t);
  const deps = { clock, random: new SeededRandom(1) };
  const bringTo = (freeBytes: number, sizeBytes: number) =>
    new InboxFolder(dataDir, () => freeBytes).bring(deps, { sizeBytes, pieces: [] }, () => 'checked').checked;
  t.equal(bringTo(DISK_FREE_BYTES_MIN / 2, COURIER_SMALL_BYTES_MAX), 'checked');
  t.throws(() => bringTo(DISK_FREE_BYTES_MIN, COURIER_SMALL_BYTES_MAX + 1), { code: 'ERR_COURIER_NO_ROOM' });
  t.throws(() => bringTo(20_000, 20_001), { code: 'ERR_COURIER_NO_ROOM' }, 'what does not fit at all');
});

t.test('what a command left that never ended is removed by one of a later day', async (t) => {
  const { dataDir, clock, folder, bring } = scene(t);
  const kept = bring(fileOf([]));
  const inbox = join(dataDir, 'mesh', 'inbox');
  const nowS = clock.wall().unixMs / SECOND_MS;
  for (const [name, ageS] of [
    ['old.unchecked', 100_000],
    ['old.unchecked.123.tmp', 100_000],
    ['new.unchecked', 10],
  ] as const) {
    writeFileSync(join(inbox, name), '');
    utimesSync(join(inbox, name), nowS - ageS, nowS - ageS);
  }
  await clock.advance(1);
  const later = bring(fileOf([]));
  t.strictSame(readdirSync(inbox).sort(), [`${kept}.courier`, `${later}.courier`, 'new.unchecked'].sort());
  t.strictSame(folder.list(), [kept, later]);
});
