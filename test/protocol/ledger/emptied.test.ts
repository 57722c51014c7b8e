import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { nodeCrypto } from '@sparc/edge/ledger';
import { PASSING_EVENTS } from '@sparc/protocol/events';
import {
  assertSigned,
  batchOf,
  chainedBatch,
  CONTENT_BYTES_MAX,
  emptied,
  EntryContent,
  hashEntry,
  NO_HASH,
  pureCrypto,
  verifyBatch,
  type Batch,
} from '@sparc/protocol/ledger';
import { checkProperty } from '../../support/property.js';
import { TestChain } from '../../support/test-chain.js';
import { PLAIN } from './plain-content.js';

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
const place = {
  author: new Uint8Array(32).fill(7),
  epoch: { counter: 1, random: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]) },
  sequence: 2,
  previousHash: NO_HASH,
};

t.test('the bytes and the hash of a passing entry are fixed for ever', async (t) => {
  const content = EntryContent.encode({ ...PLAIN, body: Uint8Array.from([0xaa]), passing: true });
  const left = emptied(pureCrypto, content);
  const head = '0a056576656e74110300008c2b8d9b01188098aee9b8332001';
  t.equal(hex(content), `${head}2a01aa3001`);
  t.equal(hex(left), `${head}2a003a2074f29a5374652d3fc0567f12b124e79e8acb5e604d42b1fe0ee8c3ae2619eca6`);
  t.equal(
    hex(hashEntry(pureCrypto, place, content)),
    '5aceedc17f2d311de674f8d4045e454d6fc1e0d6e92413fcb332cec7b699a361',
  );
});

t.test('a passing entry has one hash, with its body and without', async () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(127, 128, 16_383, 16_384, 65_536).map((length) => new Uint8Array(length).fill(1)),
  );
  const newer = fc.uint8Array({ maxLength: 40 }).map((value) => Uint8Array.of(0x7a, value.length, ...value));
  checkProperty(
    fc.property(body, fc.option(newer), (body, newer) => {
      const content = Buffer.concat([EntryContent.encode({ ...PLAIN, body, passing: true }), newer ?? Uint8Array.of()]);
      const left = emptied(nodeCrypto, content);
      assert.ok(left !== undefined && left.length <= CONTENT_BYTES_MAX);
      const { digest, ...rest } = EntryContent.decode(left);
      assert.equal(digest?.length, 32);
      assert.deepEqual({ ...rest, body: [...rest.body] }, { ...PLAIN, body: [] });
      assert.ok(newer === null || hex(left).endsWith(hex(newer)), 'what a newer version added stays');
      assert.deepEqual(hashEntry(nodeCrypto, place, left), hashEntry(nodeCrypto, place, content));
      assert.deepEqual(emptied(pureCrypto, content), new Uint8Array(left), 'two implementations agree');
      assert.equal(emptied(nodeCrypto, left), undefined, 'it is emptied once');
    }),
    300,
  );
});

t.test('an entry that lasts cannot be emptied', async (t) => {
  const body = Uint8Array.of(1, 2, 3);
  t.equal(emptied(nodeCrypto, EntryContent.encode({ ...PLAIN, body })), undefined);
  t.equal(emptied(nodeCrypto, EntryContent.encode({ ...PLAIN, body, passing: false })), undefined);

  const chain = new TestChain();
  const before = chain.open(1).head;
  const { entries, head } = chain.add({ name: 'site.lockdown' }, { name: 'door.opened', doorId: 'front' });
  const batch = batchOf(entries, before, head);
  t.ok(verifyBatch(nodeCrypto, batch).entries.length === 2);
  const [lockdown, opened] = batch.contents as [Uint8Array, Uint8Array];
  t.equal(emptied(nodeCrypto, lockdown), undefined);

  const left = emptied(nodeCrypto, opened);
  t.ok(left);
  t.same(verifyBatch(nodeCrypto, { ...batch, contents: [lockdown, left ?? opened] }).head, head, 'the other one can');

  // Who hides a lockdown has to pass it off as one that passes.
  const forged = emptied(nodeCrypto, EntryContent.encode({ ...EntryContent.decode(lockdown), passing: true }));
  const hidden: Batch = { ...batch, contents: [forged ?? lockdown, opened] };
  t.throws(() => assertSigned(nodeCrypto, chainedBatch(nodeCrypto, hidden).head), {
    code: 'ERR_LEDGER_SIGNATURE_INVALID',
  });
});

t.test('another body, or another digest, is not what its author signed', async (t) => {
  const chain = new TestChain();
  const before = chain.open(1).head;
  const { entries, head } = chain.add({ name: 'door.opened', doorId: 'front' });
  const batch = batchOf(entries, before, head);
  const [content] = batch.contents as [Uint8Array];
  const said = EntryContent.decode(content);
  const { passing: _passing, ...emptiedSaid } = EntryContent.decode(emptied(nodeCrypto, content) ?? content);
  for (const altered of [
    { ...said, body: Uint8Array.of(...said.body.slice(0, -1), 0x21) },
    { ...said, passing: false },
    { ...emptiedSaid, digest: new Uint8Array(32) },
    { ...emptiedSaid, wallUnixMs: said.wallUnixMs + 1 },
  ]) {
    const contents = [EntryContent.encode(altered)];
    t.throws(() => verifyBatch(nodeCrypto, { ...batch, contents }), { code: 'ERR_LEDGER_SIGNATURE_INVALID' });
  }
});

t.test('a form that could be written in another way is refused', async (t) => {
  const body = Uint8Array.of(9);
  const content = EntryContent.encode({ ...PLAIN, body, passing: true });
  const head = content.subarray(0, content.length - 5);
  const flag = Uint8Array.of(0x30, 1);
  const digest = Uint8Array.of(0x3a, 32, ...new Uint8Array(32));
  for (const [what, tail] of [
    ['a length in two bytes', [0x2a, 0x81, 0, 9, ...flag]],
    ['a flag in two bytes', [0x2a, 1, 9, 0x30, 0x81, 0]],
    ['a key in two bytes', [0x2a, 1, 9, 0xb0, 0, 1]],
    ['a digest beside the body', [0x2a, 1, 9, ...flag, ...digest]],
    ['something between', [0x2a, 1, 9, 0x2a, 0, ...flag]],
    ['no body', [...flag]],
    ['bytes that end early', [0x2a, 9, 9]],
  ] as const) {
    t.throws(
      () => emptied(nodeCrypto, Buffer.concat([head, Uint8Array.from(tail)])),
      { code: 'ERR_LEDGER_MALFORMED' },
      what,
    );
  }
});

t.test('hostile bytes are refused and crash nothing', async () => {
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        emptied(nodeCrypto, bytes);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ERR_LEDGER_MALFORMED');
      }
    }),
    2_000,
  );
});

t.test('what is directed, and how the site stands, does not pass', async (t) => {
  for (const name of [
    'directive.given',
    'directive.applied',
    'revocation.applied',
    'site.lockdown',
    'site.lockdown_ended',
    'site.threat_level',
    'site.released',
    'fire.alarm',
    'fire.evacuation',
    'fire.ended',
    'gateway.started',
    'policy.loaded',
    'use_limit.changed',
    'use_limit.restated',
    'visitor.added',
    'journal.gap',
    'ledger.forked',
  ] as const) {
    t.notOk(PASSING_EVENTS.has(name), name);
  }
});
