import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { FirstLines } from '@sparc/cloud-sync/policy';
import { checkProperty } from '../../support/property.js';

const KEYS = 150_000;
/** Twelve a slot, of which three eighths are taken at the least. */
const KEY_BYTES_MAX = 32;

t.test('the line at which a key came first', async (t) => {
  await t.test('is that of a map that keeps every key', async () => {
    checkProperty(
      fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 2_000 }), (keys) => {
        const lines = new FirstLines();
        const expected = new Map<string, number>();
        keys.forEach((key, at) => {
          if (lines.of(key) !== expected.get(key)) throw new Error(`before line ${at + 1}`);
          lines.add(key, at + 1);
          if (!expected.has(key)) expected.set(key, at + 1);
        });
        return [...expected].every(([key, line]) => lines.of(key) === line);
      }),
    );
  });

  await t.test('is kept of many, which take little memory and nothing of the heap', async (t) => {
    const before = memoryAfterCollection();
    const lines = new FirstLines();
    for (let at = 1; at <= KEYS; at += 1) lines.add(keyOf(at), at);
    const after = memoryAfterCollection();
    t.ok(after.heapUsed - before.heapUsed < 4 * KEYS, `${after.heapUsed - before.heapUsed} bytes of the heap`);
    const ofArrays = after.arrayBuffers - before.arrayBuffers;
    t.ok(ofArrays > 0 && ofArrays < KEY_BYTES_MAX * KEYS, `${ofArrays} bytes beside it`);
    for (let at = 1; at <= KEYS; at += 1) if (lines.of(keyOf(at)) !== at) t.fail(`line ${at}`);
    t.equal(lines.of(keyOf(0)), undefined);
  });
});

const keyOf = (at: number) => `credential of the person who has the number ${at}`;

/** Of what is in use, not of what nobody has collected. */
function memoryAfterCollection(): NodeJS.MemoryUsage {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Buffers go with the collection after the one that finds them.
  collect();
  collect();
  return process.memoryUsage();
}
