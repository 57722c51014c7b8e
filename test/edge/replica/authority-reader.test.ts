import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AuthorityLog } from '@sparc/edge/authority';
import type { Draft } from '@sparc/protocol/authority';
import { AuthorityReader, handlerOf, type AuthorityHandler, type RefusedEntry } from '@sparc/edge/replica';
import { nodeCrypto } from '@sparc/edge/ledger';
import { SparcError } from '@sparc/protocol/errors';
import { SignedHead, type Batch } from '@sparc/protocol/ledger';
import { accept } from '@sparc/protocol/replication';
import { ReplicaDisk, SimulatedReplicaStore } from '@sparc/simulator/mesh';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { keyOf } from '../../support/roster.js';
import { testSigner } from '../../support/test-signer.js';

const AUTHORITY = keyOf(200);

/** An authority, and a gateway that holds its log. */
function scene(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-reader-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const deps = { clock: new VirtualClock(), random: new SeededRandom(1), signer: testSigner(200) };
  const path = join(folder, 'log.db');
  AuthorityLog.create(path, 'harbour', deps).close();
  const store = new SimulatedReplicaStore(new ReplicaDisk());
  const take = (batch: Batch) => {
    const log = store.logs().get(AUTHORITY) ?? [];
    const hashAt = (epoch: Batch['epoch'], sequence: number) => store.hashAt(AUTHORITY, epoch, sequence);
    const accepted = accept(nodeCrypto, log, hashAt, batch);
    if (accepted.kind === 'append') store.append([accepted], []);
  };
  /** One command at the authority, and what it said come to the gateway. */
  const says = (...drafts: readonly Draft[]) => {
    const log = store.logs().size === 0 ? AuthorityLog.create(path, 'harbour', deps) : AuthorityLog.open(path, deps);
    log.append(drafts);
    for (const batch of log.batches()) take(batch);
    log.close();
  };
  const refused: RefusedEntry[] = [];
  const reader = (...handlers: readonly AuthorityHandler[]) =>
    new AuthorityReader(store, AUTHORITY, handlers, (entry) => void refused.push(entry));
  return { says, reader, refused };
}

const word = (kind: string, ...bytes: readonly number[]): Draft => ({ kind, body: Uint8Array.from(bytes) });
/** Takes bodies of one byte. */
const listener = (kind: string) => {
  const heard: number[] = [];
  const decode = ([byte]: Uint8Array) => {
    if (byte === undefined) throw new SparcError('ERR_LEDGER_MALFORMED', 'an empty word');
    return byte;
  };
  return { heard, handler: handlerOf(kind, { decode }, (byte) => void heard.push(byte)) };
};

t.test('what the authority says reaches the handler of its kind, in order and once', async (t) => {
  const { says, reader } = scene(t);
  const [a, b] = [listener('a'), listener('b')];
  const read = reader(a.handler, b.handler);
  read.read();
  says(word('a', 1), word('b', 2), word('unknown', 3));
  read.read();
  read.read();
  says(word('a', 4));
  says(word('a', 5), word('b', 6));
  read.read();
  t.strictSame(a.heard, [1, 4, 5]);
  t.strictSame(b.heard, [2, 6]);
});

t.test('after a restart all of it is said again', async (t) => {
  const { says, reader } = scene(t);
  says(word('a', 1));
  says(word('a', 2));
  for (const each of [listener('a'), listener('a')]) {
    reader(each.handler).read();
    t.strictSame(each.heard, [1, 2]);
  }
});

t.test('an entry that cannot be taken is told once, and neither later ones nor other kinds suffer', async (t) => {
  const { says, reader, refused } = scene(t);
  const [a, b] = [listener('a'), listener('b')];
  const read = reader(a.handler, b.handler);
  says(word('a', 1), word('a'), word('b', 2));
  read.read();
  read.read();
  t.strictSame(a.heard, [1]);
  t.strictSame(b.heard, [2]);
  t.match(refused, [{ kind: 'a', epoch: { counter: 1 }, sequence: 3, code: 'ERR_LEDGER_MALFORMED' }]);
  t.strictSame(read.refused, refused);
  says(word('a', 3));
  read.read();
  t.strictSame(a.heard, [1, 3]);
  t.strictSame(read.refused, [], 'a good one ends it');
  t.equal(refused.length, 1);
});

t.test('what was refused once and made good since is not told again at every start', async (t) => {
  const { says, reader, refused } = scene(t);
  says(word('a'), word('a', 1), word('b'), word('b'));
  reader(listener('a').handler, listener('b').handler).read();
  t.match(refused, [{ kind: 'b', sequence: 5 }], 'of each kind the newest, where it does not count');
  t.equal(refused.length, 1);
});

t.test('a defect in a handler is no fault of the entry', async (t) => {
  const { says, reader, refused } = scene(t);
  const broken = handlerOf('a', SignedHead, () => undefined);
  says(word('a', 1));
  reader(broken).read();
  t.equal(refused.length, 1);
  const defect = {
    kind: 'a',
    take: () => {
      throw new TypeError('a defect');
    },
  };
  t.throws(() => reader(defect).read(), TypeError);
});
