import fc from 'fast-check';
import t from 'tap';
import { FRAME_BYTES_MAX, UnreadBytes } from '@sparc/edge/mesh';
import { checkProperty } from '../../support/property.js';

t.test('what is taken is what arrived, however it was cut', async (t) => {
  const step = fc.oneof(
    fc.record({ add: fc.uint8Array({ maxLength: 9_000 }) }),
    fc.record({ take: fc.nat(9_000) }),
    fc.record({ take: fc.constant(Infinity) }),
  );
  checkProperty(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const unread = new UnreadBytes();
      let expected = Buffer.alloc(0);
      return steps.every((each) => {
        if ('add' in each) {
          unread.add(each.add);
          expected = Buffer.concat([expected, each.add]);
          return unread.length === expected.length;
        }
        const length = Math.min(each.take, expected.length);
        const taken = unread.take(length);
        const isSame = expected.subarray(0, length).equals(taken);
        expected = expected.subarray(length);
        return isSame && unread.length === expected.length;
      });
    }),
  );
  t.pass();
});

t.test('the longest frame costs little more in single bytes than in one piece', async (t) => {
  const unread = new UnreadBytes();
  const one = new Uint8Array([7]);
  const before = process.cpuUsage();
  for (let count = 0; count < FRAME_BYTES_MAX; count += 1) unread.add(one);
  t.ok(unread.take(FRAME_BYTES_MAX).every((byte) => byte === 7));
  for (let count = 0; count < FRAME_BYTES_MAX; count += 1) unread.add(one);
  for (let count = 0; count < FRAME_BYTES_MAX; count += 1) unread.take(1);
  // A copy of all for each byte takes minutes.
  t.ok(process.cpuUsage(before).user < 10_000_000);
});
