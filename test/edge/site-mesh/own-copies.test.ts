import t from 'tap';
import { OwnCopies } from '@sparc/edge/site-mesh';
import type { SignedHead } from '@sparc/protocol/ledger';
import { nothingHeld, step, tipsByAuthor, type ReplicationInput } from '@sparc/protocol/replication';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

function scene() {
  const chain = new TestChain(testSigner(1));
  const { head: first } = chain.open(1, [{ name: 'door.opened', doorId: 'front' }]);
  const { head: second } = chain.add({ name: 'door.opened', doorId: 'front' });
  let state = nothingHeld(Buffer.from(chain.signer.publicKey).toString('hex'), '');
  const take = (input: ReplicationInput) => (state = step(state, 0, input).state);
  const says = (tip: SignedHead) =>
    take({ kind: 'heads', neighbour: 'gate', tips: tipsByAuthor([tip]), complete: false });
  const tellsAll = (...tips: SignedHead[]) =>
    take({ kind: 'heads', neighbour: 'gate', tips: tipsByAuthor(tips), complete: true });
  return { first, second, take, says, tellsAll, state: () => state };
}

t.test('what a neighbour said to have is known after it went, and after it came back without a word', async (t) => {
  const { first, second, take, says, state } = scene();
  const copies = new OwnCopies();
  take({ kind: 'connected', neighbour: 'gate' });
  copies.note(state());
  t.equal(copies.all().size, 0, 'it said nothing yet');
  says(first);
  says(second);
  copies.note(state());
  take({ kind: 'disconnected', neighbour: 'gate' });
  copies.note(state());
  take({ kind: 'connected', neighbour: 'gate' });
  copies.note(state());
  t.strictSame([...copies.all()], [['gate', [second]]]);
});

t.test('a neighbour that lost its replicas is no copy any more', async (t) => {
  const { second, take, tellsAll, state } = scene();
  const copies = new OwnCopies();
  take({ kind: 'connected', neighbour: 'gate' });
  tellsAll(second);
  copies.note(state());
  t.equal(copies.all().size, 1);
  take({ kind: 'disconnected', neighbour: 'gate' });
  take({ kind: 'connected', neighbour: 'gate' });
  copies.note(state());
  t.equal(copies.all().size, 1, 'it said nothing yet');
  tellsAll();
  copies.note(state());
  t.equal(copies.all().size, 0);
  tellsAll(second);
  copies.note(state());
  t.equal(copies.all().size, 1, 'it fetched it again');
});
