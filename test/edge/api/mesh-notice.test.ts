import t from 'tap';
import { noticedEvent } from '@sparc/edge/api';
import { nodeCrypto } from '@sparc/edge/ledger';
import { headToText, signHead, type SignedHead } from '@sparc/protocol/ledger';
import { eventFaults } from '../../support/event-faults.js';
import { testSigner } from '../../support/test-signer.js';

const KEY = 'ab'.repeat(32);

function head(sequence: number, { seed = 1, fill = sequence } = {}): SignedHead {
  const signer = testSigner(seed);
  return signHead(signer, {
    site: 'harbour',
    author: signer.publicKey,
    epoch: { counter: 4, random: new Uint8Array(8) },
    sequence,
    hash: new Uint8Array(32).fill(fill),
  });
}

const fork = (first: SignedHead, second: SignedHead) => ({
  kind: 'forked',
  fork: 'setBack',
  first: headToText(first),
  second: headToText(second),
});

t.test('neighbours that come and go are events with their key and name', async (t) => {
  const found = noticedEvent(nodeCrypto, { kind: 'found', neighbour: KEY, name: 'gate' });
  t.strictSame(found, { name: 'mesh.neighbour_found', detail: { neighbour: KEY, name: 'gate' } });
  const lost = noticedEvent(nodeCrypto, { kind: 'lost', neighbour: KEY, name: 'gate' });
  t.strictSame(lost, { name: 'mesh.neighbour_lost', detail: { neighbour: KEY, name: 'gate' } });
});

t.test('an expulsion, and an entry of the authority that does not count, are events', async (t) => {
  const expelled = noticedEvent(nodeCrypto, { kind: 'expelled', neighbour: KEY, name: 'gate', epoch: 7 });
  t.strictSame(expelled, { name: 'mesh.gateway_expelled', detail: { neighbour: KEY, name: 'gate', epoch: '7' } });
  const notice = { kind: 'refused', entryKind: 'policy', epoch: 3, sequence: 12, code: 'ERR_LEDGER_MALFORMED' };
  const refused = noticedEvent(nodeCrypto, notice);
  t.strictSame(refused, {
    name: 'mesh.authority_refused',
    code: 'ERR_LEDGER_MALFORMED',
    detail: { kind: 'policy', entry: '3.12' },
  });
  for (const event of [expelled, refused]) t.same(event && eventFaults(event), []);
  t.equal(noticedEvent(nodeCrypto, { ...notice, code: 'ERR_NO_SUCH' }), undefined);
});

t.test('messages that are not of the cloud are an alarm with their number', async (t) => {
  const notice = { kind: 'cloudRefused', code: 'ERR_LINK_ACKNOWLEDGEMENT_INVALID', count: 12 };
  const refused = noticedEvent(nodeCrypto, notice);
  t.strictSame(refused, {
    name: 'mesh.cloud_refused',
    code: 'ERR_LINK_ACKNOWLEDGEMENT_INVALID',
    detail: { messages: '12' },
  });
  t.same(refused && eventFaults(refused), []);
});

t.test('ledgers that are no longer taken, or were lost, are events', async (t) => {
  const full = noticedEvent(nodeCrypto, { kind: 'replicaFull', author: KEY, limit: 'disk' });
  t.strictSame(full, { name: 'ledger.replica_full', detail: { author: KEY, limit: 'disk' } });
  const notice = { kind: 'replicasLost', code: 'ERR_LEDGER_CORRUPT', movedTo: 'replica.corrupt-2.db' };
  const lost = noticedEvent(nodeCrypto, notice);
  t.strictSame(lost, {
    name: 'ledger.replicas_lost',
    code: 'ERR_LEDGER_CORRUPT',
    detail: { movedTo: 'replica.corrupt-2.db' },
  });
  for (const event of [full, lost]) t.same(event && eventFaults(event), []);
});

t.test('a fork is an event that says whose it is and where, as the catalogue has it', async (t) => {
  const event = noticedEvent(nodeCrypto, fork(head(5), head(9)));
  t.strictSame(event, {
    name: 'ledger.forked',
    detail: {
      author: Buffer.from(testSigner().publicKey).toString('hex'),
      kind: 'setBack',
      first: '4.5',
      second: '4.9',
    },
  });
  t.same(event && eventFaults(event), []);
});

t.test('a fork that its author did not sign, or that is none, is not believed', async (t) => {
  const forged = { ...head(9), hash: new Uint8Array(32).fill(1) };
  t.equal(noticedEvent(nodeCrypto, fork(head(5), forged)), undefined, 'a forged head');
  t.equal(noticedEvent(nodeCrypto, fork(head(5), head(9, { seed: 2 }))), undefined, 'two authors');
  t.equal(noticedEvent(nodeCrypto, fork(head(5), head(5))), undefined, 'one head twice');
  t.equal(noticedEvent(nodeCrypto, { ...fork(head(5), head(9)), first: '{}' }), undefined, 'no head');
});

t.test('what has not the shape of a notice is nothing', async (t) => {
  for (const notice of [
    undefined,
    null,
    'found',
    { kind: 'found', neighbour: KEY },
    { kind: 'found', neighbour: KEY.toUpperCase(), name: 'gate' },
    { kind: 'found', neighbour: KEY, name: 'x'.repeat(129) },
    { kind: 'found', neighbour: KEY, name: 'gate', code: 'ERR_X' },
    { kind: 'expelled', neighbour: KEY, name: 'gate' },
    { kind: 'replicaFull', author: KEY, limit: 'other' },
    { kind: 'replicasLost', code: 'ERR_LEDGER_CORRUPT', movedTo: '../replica.corrupt-2.db' },
    { kind: 'replicasLost', code: 'ERR_NO_SUCH', movedTo: 'replica.corrupt-2.db' },
    { ...fork(head(5), head(9)), fork: 'other' },
    { ...fork(head(5), head(9)), first: 'x'.repeat(1_025) },
  ]) {
    t.equal(noticedEvent(nodeCrypto, notice), undefined, JSON.stringify(notice)?.slice(0, 80));
  }
});

t.test('couriers that were taken or refused are events', async (t) => {
  const courier = '001795293224891-11eda34765c9';
  const counts = { entriesCount: 7, partsCount: 2, detachedCount: 0 };
  const imported = noticedEvent(nodeCrypto, { kind: 'imported', courier, maker: KEY, ...counts });
  t.strictSame(imported, {
    name: 'ledger.imported',
    detail: { courier, maker: KEY, entries: '7', parts: '2', detached: '0' },
  });
  const refused = noticedEvent(nodeCrypto, { kind: 'importRefused', courier, code: 'ERR_COURIER_DAMAGED' });
  t.strictSame(refused, { name: 'ledger.import_refused', code: 'ERR_COURIER_DAMAGED', detail: { courier } });
  for (const event of [imported, refused]) t.same(event && eventFaults(event), []);
  t.equal(noticedEvent(nodeCrypto, { kind: 'importRefused', courier, code: 'ERR_NO_SUCH' }), undefined);
  t.equal(noticedEvent(nodeCrypto, { kind: 'imported', courier: '../x', maker: KEY, ...counts }), undefined);
});
