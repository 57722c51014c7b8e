import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { nodeCrypto } from '@sparc/edge/ledger';
import { isSparcError } from '@sparc/protocol/errors';
import {
  BatchFile,
  batchOf,
  bytes,
  decodeBatch,
  encodeBatch,
  EntryContent,
  EpochId,
  hashEntry,
  headFromText,
  headToText,
  isSignatureValid,
  message,
  nextLink,
  NO_HASH,
  pureCrypto,
  required,
  signHead,
  uint,
  verifyBatch,
  type ChainedEntry,
  type Link,
} from '@sparc/protocol/ledger';
import { checkProperty } from '../../support/property.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { PLAIN } from './plain-content.js';

const codeOf = (run: () => unknown) => {
  try {
    run();
    return 'no error';
  } catch (error) {
    return isSparcError(error) ? error.code : String(error);
  }
};
const opened = { name: 'door.opened', doorId: 'front' };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

t.test('an entry is hashed as the protobuf message that it stands for', async (t) => {
  const HashedEntry = message({
    author: required(1, bytes(32)),
    epoch: required(2, EpochId),
    sequence: required(3, uint()),
    previousHash: required(4, bytes(32)),
    content: required(5, bytes(0, 66_000)),
  });
  const domain = Buffer.from('sparc/ledger/entry/1\0');
  const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const place = fc.record({
    author: bytesOf(32),
    epoch: fc.record({ counter: fc.nat(2 ** 31 - 1).map((half) => half * 2), random: bytesOf(8) }),
    sequence: fc.oneof(fc.nat(300), fc.maxSafeNat()),
    previousHash: bytesOf(32),
  });
  const content = fc
    .oneof(fc.uint8Array({ maxLength: 300 }), bytesOf(65_000))
    .map((body) => EntryContent.encode({ ...PLAIN, body }));
  checkProperty(
    fc.property(place, content, (place, content) => {
      const encoded = HashedEntry.encode({ ...place, content });
      assert.deepEqual(hashEntry(nodeCrypto, place, content), nodeCrypto.sha256(Buffer.concat([domain, encoded])));
    }),
    300,
  );
  const sound = { author: new Uint8Array(32), epoch: { counter: 1, random: new Uint8Array(8) }, sequence: 1 };
  t.throws(
    () =>
      hashEntry(
        pureCrypto,
        { ...sound, previousHash: new Uint8Array(31) },
        EntryContent.encode({ ...PLAIN, body: Uint8Array.of(1) }),
      ),
    {
      code: 'ERR_LEDGER_MALFORMED',
    },
  );
});

t.test('the bytes, the hash and the signature of an entry are fixed for ever', async (t) => {
  const signer = testSigner();
  const epoch = { counter: 1, random: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]) };
  const content = EntryContent.encode({ ...PLAIN, body: Uint8Array.from([0xaa]) });
  const place = { author: signer.publicKey, epoch, sequence: 2, previousHash: NO_HASH };
  const hash = hashEntry(pureCrypto, place, content);
  const head = signHead(signer, { site: 'harbour', author: signer.publicKey, epoch, sequence: 2, hash });
  t.equal(hex(content), '0a056576656e74110300008c2b8d9b01188098aee9b83320012a01aa');
  t.equal(hex(hash), '7d44b6d7b007020c9764db2762989d961bcaa490c48c7865decac6f435ffbbed');
  t.equal(
    hex(head.signature),
    '4a661aafc97fef301d0dcda1dc452e7a0b3fe85fdbabdbb2d2865dd93b1d75f555863d455d3d9aaa0b069e362f75a26735d56b40626a96d07d254ceee5400a05',
  );
  t.same(hashEntry(nodeCrypto, place, content), hash, 'two implementations agree on the hash');
  t.ok(isSignatureValid(pureCrypto, head) && isSignatureValid(nodeCrypto, head), 'and on the signature');
});

t.test('a chain is followed over epochs', async (t) => {
  const chain = new TestChain();
  const commits = [chain.open(1, [opened]), chain.add(opened, opened), chain.open(5), chain.add(opened)];
  let link: Link | undefined;
  for (const entry of commits.flatMap(({ entries }) => entries)) {
    link = nextLink(nodeCrypto, chain.signer.publicKey, link, entry).link;
    t.same(link.hash, entry.hash);
  }
});

t.test('a chain with something missing is not followed', async (t) => {
  const chain = new TestChain();
  const author = chain.signer.publicKey;
  const all = [chain.open(1, [opened, opened]), chain.open(2, [opened])].flatMap(({ entries }) => entries);
  const [first, second, third, fourth] = all as [ChainedEntry, ChainedEntry, ChainedEntry, ChainedEntry];
  const after = (last: ChainedEntry | undefined, next: ChainedEntry) =>
    codeOf(() => nextLink(pureCrypto, author, last, next));
  t.equal(after(third, fourth), 'no error');
  t.equal(after(first, third), 'ERR_LEDGER_ENTRY_MISSING', 'an entry');
  t.equal(after(second, fourth), 'ERR_LEDGER_ENTRY_MISSING', 'the end of an epoch');
  t.equal(after(undefined, second), 'ERR_LEDGER_ENTRY_MISSING', 'the start of an epoch');
  t.equal(after(undefined, fourth), 'ERR_LEDGER_ENTRY_MISSING', 'a whole epoch');
  t.equal(after(third, { ...fourth, epoch: { ...fourth.epoch, counter: 1 } }), 'ERR_LEDGER_ENTRY_MISSING', 'the rise');
  t.equal(after(first, { ...second, sequence: 1 }), 'ERR_LEDGER_ENTRY_ALTERED', 'an event cannot open an epoch');
  const anew = new TestChain();
  anew.open(1);
  const [begun] = anew.open(2, [], true).entries as [ChainedEntry];
  t.equal(after(undefined, begun), 'no error', 'a log that says itself that it was begun anew');
});

t.test('a batch brings its entries and its head, with author and epoch once', async (t) => {
  const chain = new TestChain();
  const first = chain.open(1, [opened]);
  const second = chain.add(opened, opened);
  const bytes = encodeBatch(batchOf(first.entries, undefined, first.head));
  t.same(verifyBatch(nodeCrypto, decodeBatch(bytes)), { entries: first.entries, head: first.head });
  const later = decodeBatch(encodeBatch(batchOf(second.entries, first.entries[1], second.head)));
  t.same(verifyBatch(pureCrypto, later).entries, second.entries);
  t.same(verifyBatch(nodeCrypto, later, first.entries[1]).head, second.head, 'after what the receiver has');
  t.equal(
    codeOf(() => verifyBatch(nodeCrypto, later, first.entries[0])),
    'ERR_LEDGER_ENTRY_MISSING',
  );
  const file = Buffer.concat(
    [first, second].map((commit, index) =>
      BatchFile.encode({ batches: [batchOf(commit.entries, index === 0 ? undefined : first.entries[1], commit.head)] }),
    ),
  );
  t.equal(BatchFile.decode(file).batches.length, 2, 'two files, one behind the other, are one');
});

t.test('a batch with one bit changed is refused', async (t) => {
  const chain = new TestChain();
  const { entries, head } = chain.open(1, [opened, { name: 'access.granted', credentialId: 'anna' }]);
  const bytes = encodeBatch(batchOf(entries, undefined, head));
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    t.match(
      codeOf(() => verifyBatch(nodeCrypto, decodeBatch(flipped))),
      /^ERR_LEDGER_/,
      `bit ${bit}`,
    );
  }
});

t.test('a batch cut or swapped is refused', async (t) => {
  const chain = new TestChain();
  const batch = batchOf(chain.open(1, [opened, { name: 'door.closed' }]).entries, undefined, chain.head!);
  checkProperty(
    fc.property(fc.shuffledSubarray([0, 1, 2]), (order) => {
      const contents = order.map((index) => batch.contents[index] ?? Uint8Array.of());
      const code = codeOf(() => verifyBatch(nodeCrypto, { ...batch, contents }));
      return order.join() === '0,1,2' ? code === 'no error' : code.startsWith('ERR_LEDGER_');
    }),
  );
  t.pass();
});

t.test('a head in text comes back whole, and other text does not', async (t) => {
  const { head } = new TestChain().open(3);
  t.same(headFromText(headToText(head)), head);
  for (const text of [
    '',
    '{}',
    'null',
    headToText(head).slice(0, -3),
    headToText(head).replace(/[0-9a-f]{64}/, 'zz'),
  ]) {
    t.equal(
      codeOf(() => headFromText(text)),
      'ERR_LEDGER_MALFORMED',
    );
  }
});
