import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { nodeCrypto } from '@sparc/edge/ledger';
import { verifySignature } from '@sparc/edge/platform';
import {
  assertMaker,
  CHUNK_BYTES,
  readCourier,
  writeCourier,
  type CourierItem,
  type CourierOpening,
} from '@sparc/protocol/courier';
import { isSparcError } from '@sparc/protocol/errors';
import { pureCrypto } from '@sparc/protocol/ledger';
import { signRoster, SITE_SECRETS_MAX, type Roster } from '@sparc/protocol/roster';
import { SeededRandom } from '@sparc/simulator/world';
import { checkProperty } from '../../support/property.js';
import { keyOf, member, rosterWith } from '../../support/roster.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const AUTHORITY = 9;
const SECRET = new Uint8Array(32).fill(7);
const OLDER_SECRET = new Uint8Array(32).fill(8);
const ROSTER = rosterWith([member(1), member(2)]);
/** 16 of its kind, 32 of salt, 8 slots of 32, and 16 by which a key is known. */
const HEADER_BYTES = 320;
const SEALED_CHUNK_BYTES = CHUNK_BYTES + 16;

const openingBy = (maker: number, roster: Roster = ROSTER) => ({
  site: roster.site,
  maker: keyOf(maker),
  madeUnixMs: 1_790_000_000_000,
  roster: signRoster(testSigner(AUTHORITY), roster),
});

/** Each `seed` of chance is another file. */
function fileOf(
  items: Iterable<CourierItem>,
  options: { by?: number; signer?: number; secret?: Uint8Array; previous?: readonly Uint8Array[]; seed?: number } = {},
): Buffer {
  const { by = 1, signer = by, secret = SECRET, previous = [], seed = 1 } = options;
  const deps = { signer: testSigner(signer), random: new SeededRandom(seed), crypto: nodeCrypto };
  return Buffer.concat([...writeCourier(deps, { present: secret, previous }, openingBy(by), items)]);
}

const piecesOf = (file: Uint8Array, length = 1_000): Uint8Array[] =>
  Array.from({ length: Math.ceil(file.length / length) }, (_, at) => file.subarray(at * length, (at + 1) * length));

const read = (file: Uint8Array, secrets: readonly Uint8Array[] = [SECRET]): CourierItem[] => [
  ...readCourier(nodeCrypto, secrets, piecesOf(file), () => undefined),
];

/** What becomes of a file. */
function outcome(file: Uint8Array, secrets?: readonly Uint8Array[]): string {
  try {
    read(file, secrets);
    return 'taken';
  } catch (error) {
    if (isSparcError(error)) return error.code;
    throw error;
  }
}

/** Deterministic bytes that do not repeat. */
const noise = (seed: number, length: number): Uint8Array =>
  Uint8Array.from(createHash('shake256', { outputLength: length }).update(String(seed)).digest());

const chain = new TestChain(testSigner(2));
const opened = chain.open(1);
const BATCHES = batchesOf([opened, chain.add({ name: 'door.opened', doorId: 'front' })]);
/** Longer than three chunks. */
const ITEMS: readonly CourierItem[] = [
  ...BATCHES.map((batch) => ({ batch })),
  { part: noise(1, 2 * CHUNK_BYTES) },
  { part: noise(2, CHUNK_BYTES) },
];

/** Values whose bytes may be of any kind of array. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, each) => (ArrayBuffer.isView(each) ? hexOf(each) : (each as unknown))));
const hexOf = (view: ArrayBufferView): string =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex');

t.test('what a courier carries arrives as it was, with who made it', async (t) => {
  const file = fileOf(ITEMS);
  t.strictSame(plain(read(file)), plain(ITEMS));
  const openings: CourierOpening[] = [];
  const items = readCourier(pureCrypto, [SECRET], piecesOf(file), (opening) => openings.push(opening));
  t.ok([...items].length > 0);
  t.strictSame(plain(openings), plain([openingBy(1)]));
  t.strictSame(read(fileOf([])), [], 'an empty one, too');
});

t.test('parts of any number and length arrive, however the file is cut into pieces', async (t) => {
  const parts = fc.array(fc.integer({ min: 1, max: 3 * CHUNK_BYTES }), { maxLength: 4 });
  const property = fc.property(parts, fc.integer({ min: 1, max: 100_000 }), (lengths, pieceLength) => {
    const items = lengths.map((length, at) => ({ part: noise(at, length) }));
    const arrived = readCourier(nodeCrypto, [SECRET], piecesOf(fileOf(items), pieceLength), () => undefined);
    for (const [at, item] of [...arrived].entries()) {
      const { part = new Uint8Array() } = items[at] ?? {};
      if (!('part' in item) || !Buffer.from(item.part).equals(part)) throw new Error(`part ${at} is another`);
    }
  });
  checkProperty(property, 30);
  t.pass();
});

t.test('a courier is made and read in less memory than it has bytes', async (t) => {
  let madeCount = 0;
  function* endless(): Generator<CourierItem> {
    for (;;) {
      madeCount += 1;
      yield { part: noise(madeCount, 1_000) };
    }
  }
  const opening = openingBy(1);
  const deps = { signer: testSigner(1), random: new SeededRandom(1), crypto: nodeCrypto };
  const sealed = writeCourier(deps, { present: SECRET, previous: [] }, opening, endless());
  const items = readCourier(nodeCrypto, [SECRET], sealed, () => undefined);
  let readCount = 0;
  for (const item of items) {
    t.ok('part' in item);
    readCount += 1;
    if (readCount === 100) break;
  }
  t.ok(madeCount < readCount + 200, `${madeCount} were made while ${readCount} were read`);
});

t.test('one flipped bit anywhere is found', async (t) => {
  const file = fileOf(ITEMS);
  const property = fc.property(fc.nat(file.length - 1), fc.nat(7), (at, bit) => {
    const altered = Buffer.from(file);
    altered.writeUInt8(altered.readUInt8(at) ^ (1 << bit), at);
    const code = outcome(altered);
    // In the salt, the slots or the check of the key, it looks like another key.
    const isKey = at >= 16 && at < HEADER_BYTES;
    if (code !== (isKey ? 'ERR_COURIER_OTHER_SITE' : 'ERR_COURIER_DAMAGED')) throw new Error(`at ${at}: ${code}`);
  });
  checkProperty(property, 150);
  t.pass();
});

t.test('a courier that ends early is damaged, wherever it ends', async (t) => {
  const file = fileOf(ITEMS);
  const chunkEnds = [1, 2, 3].map((count) => HEADER_BYTES + count * SEALED_CHUNK_BYTES);
  t.ok(file.length > (chunkEnds.at(-1) ?? Infinity), 'it has more than three chunks');
  for (const length of [...chunkEnds, 0, 10, HEADER_BYTES, HEADER_BYTES + 5, file.length - 1]) {
    t.equal(outcome(file.subarray(0, length)), 'ERR_COURIER_DAMAGED', `${length} of ${file.length} bytes`);
  }
});

t.test('chunks that are exchanged, repeated, added or of another file are found', async (t) => {
  const file = fileOf(ITEMS);
  const chunkOf = (from: Buffer, at: number) =>
    from.subarray(HEADER_BYTES + at * SEALED_CHUNK_BYTES, HEADER_BYTES + (at + 1) * SEALED_CHUNK_BYTES);
  const header = file.subarray(0, HEADER_BYTES);
  const [first, second, third, last] = [0, 1, 2, 3].map((at) => chunkOf(file, at)) as [Buffer, Buffer, Buffer, Buffer];
  const other = chunkOf(fileOf(ITEMS, { seed: 2 }), 1);
  t.equal(outcome(Buffer.concat([header, first, second, third, last])), 'taken', 'as it was');
  for (const [what, chunks] of Object.entries({
    exchanged: [second, first, third, last],
    repeated: [first, first, second, third, last],
    'left out': [first, third, last],
    'of another file': [first, other, third, last],
    'behind the end': [first, second, third, last, last],
  })) {
    t.equal(outcome(Buffer.concat([header, ...chunks])), 'ERR_COURIER_DAMAGED', what);
  }
});

t.test('a record that holds nothing is damage: whoever reads would work for nobody', async (t) => {
  t.equal(outcome(fileOf([...ITEMS, {} as CourierItem])), 'ERR_COURIER_DAMAGED');
});

t.test('only the secret of the site opens it, the present one or the one before', async (t) => {
  t.equal(outcome(fileOf(ITEMS), [OLDER_SECRET]), 'ERR_COURIER_OTHER_SITE');
  t.equal(outcome(fileOf(ITEMS, { secret: OLDER_SECRET }), [SECRET, OLDER_SECRET]), 'taken');
  t.notOk(
    fileOf(ITEMS).includes(Buffer.from(noise(2, CHUNK_BYTES)).subarray(0, 64)),
    'nothing of it can be read without',
  );
});

t.test('a courier that brings the next secrets opens under each of those before', async (t) => {
  const previous = Array.from({ length: SITE_SECRETS_MAX - 1 }, (_, at) => new Uint8Array(32).fill(0x80 + at));
  const file = fileOf(ITEMS, { previous });
  for (const secret of [SECRET, ...previous]) t.equal(outcome(file, [secret]), 'taken');
  t.equal(outcome(file, [OLDER_SECRET]), 'ERR_COURIER_OTHER_SITE');
  t.equal(outcome(file, [new Uint8Array(32)]), 'ERR_COURIER_OTHER_SITE');
});

t.test('whoever has the secret still cannot make one in the name of another', async (t) => {
  t.equal(outcome(fileOf(ITEMS, { by: 1, signer: 2 })), 'ERR_COURIER_MAKER_UNKNOWN');
});

t.test('whoever does not want what its maker says takes nothing of it, and lets go of the file', async (t) => {
  let isOpen = false;
  function* file(): Generator<Uint8Array> {
    isOpen = true;
    try {
      yield* piecesOf(fileOf(ITEMS));
    } finally {
      isOpen = false;
    }
  }
  const refuse = () => {
    t.ok(isOpen);
    throw new Error('not that one');
  };
  t.throws(() => [...readCourier(nodeCrypto, [SECRET], file(), refuse)], /not that one/);
  t.notOk(isOpen);
});

t.test('a courier of the authority or of a member is taken, and of nobody else', async (t) => {
  const site = { authority: testSigner(AUTHORITY).publicKey, roster: ROSTER };
  const codeFor = (opening: ReturnType<typeof openingBy>): string => {
    try {
      assertMaker(verifySignature, site, opening);
      return 'taken';
    } catch (error) {
      if (isSparcError(error)) return error.code;
      throw error;
    }
  };
  t.equal(codeFor(openingBy(1)), 'taken');
  t.equal(codeFor(openingBy(AUTHORITY)), 'taken');
  t.equal(codeFor(openingBy(3)), 'ERR_COURIER_MAKER_UNKNOWN');
  const newer = rosterWith([member(2), member(3)], { epoch: 2 });
  t.equal(codeFor(openingBy(3, newer)), 'taken', 'a new gateway, by the roster that it brings');
  t.equal(codeFor(openingBy(1, newer)), 'ERR_COURIER_MAKER_UNKNOWN', 'one that is no member any more');
  const older = rosterWith([member(1), member(3)], { epoch: 0 });
  t.equal(codeFor(openingBy(3, older)), 'ERR_COURIER_MAKER_UNKNOWN', 'one that was a member once');
  t.equal(codeFor(openingBy(1, rosterWith([member(1)], { site: 'market' }))), 'ERR_COURIER_OTHER_SITE');
  const forged = { ...openingBy(3), roster: signRoster(testSigner(3), newer) };
  t.equal(codeFor(forged), 'ERR_MESH_ROSTER_INVALID', 'by a roster of its own making');
});
