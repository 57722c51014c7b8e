import fc from 'fast-check';
import t from 'tap';
import { EchoFilter } from '@sparc/firmware-bridges/osdp';
import { checkProperty } from '../../support/property.js';

const bytes = (minLength: number) => fc.uint8Array({ minLength, maxLength: 40 });
/** Cuts at any places, as adapters deliver. */
const pieces = (whole: Uint8Array, cuts: readonly number[]) => {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((end, index) => whole.subarray(places[index], end));
};
const admitted = (filter: EchoFilter, received: readonly Uint8Array[]) =>
  received.flatMap((piece) => [...filter.admit(piece)]);

t.test('an echo is dropped whole, however it is cut, and what follows it is kept', async (t) => {
  checkProperty(
    fc.property(bytes(1), bytes(0), fc.array(fc.nat(), { maxLength: 5 }), (sent, reply, cuts) => {
      const filter = new EchoFilter();
      filter.sent(sent);
      const kept = admitted(filter, pieces(Uint8Array.of(...sent, ...reply), cuts));
      return filter.heard && String(kept) === String([...reply]);
    }),
  );
  t.pass();
});

t.test('where no echo comes, every byte of a reply is kept, even if it begins like the command', async (t) => {
  checkProperty(
    fc.property(bytes(3), bytes(1), fc.array(fc.nat(), { maxLength: 5 }), (sent, tail, cuts) => {
      // Mark and SOM are the same; the address differs by the reply bit.
      const reply = Uint8Array.of(...sent.subarray(0, 2), (sent[2] ?? 0) ^ 0x80, ...tail);
      const filter = new EchoFilter();
      filter.sent(sent);
      const kept = admitted(filter, pieces(reply, cuts));
      return !filter.heard && String(kept) === String([...reply]);
    }),
  );
  t.pass();
});
