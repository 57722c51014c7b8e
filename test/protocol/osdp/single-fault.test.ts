import fc from 'fast-check';
import t from 'tap';
import { checkProperty } from '../../support/property.js';
import { assertUnharmed, FAULTS, flipped, liveThrough, MODES } from './single-fault.js';
import { late, pass } from './virtual-line.js';

const RUNS = Number(process.env['OSDP_FUZZ_RUNS'] ?? 100);

for (const mode of Object.keys(MODES)) {
  const { line } = liveThrough(mode, { from: 'acu', index: 0, fault: pass });
  for (const from of ['acu', 'pd'] as const) {
    // From the first probe to a few polls after the unlock; what follows is nothing but polls.
    const unlockedAtMs = line.acuEffects.find(({ kind }) => kind === 'commandDone')?.atMs ?? 0;
    const framesCount = line.sent.filter((frame) => frame.from === from && frame.atMs < unlockedAtMs + 200).length;
    t.test(`${mode}: whichever frame of the ${from} is struck by one fault, it costs less than a second`, async (t) => {
      for (let index = 0; index < framesCount; index += 1) {
        for (const [name, fault] of Object.entries(FAULTS)) {
          const lived = liveThrough(mode, { from, index, fault });
          try {
            assertUnharmed(lived.line, lived.longestSilenceMs, mode);
          } catch (error) {
            t.fail(`frame ${index} ${name}: ${String(error)}`);
          }
        }
      }
      t.ok(framesCount > 15, `${framesCount} frames`);
    });
  }
}

t.test('any byte of any frame flipped, any delay up to 900 ms: it costs less than a second', async (t) => {
  const fault = fc.oneof(
    fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 255 })).map(([index, bits]) => flipped(index, bits)),
    fc.integer({ min: 1, max: 900 }).map(late),
  );
  checkProperty(
    fc.property(
      fc.constantFrom(...Object.keys(MODES)),
      fc.constantFrom('acu' as const, 'pd' as const),
      fc.nat(50),
      fault,
      (mode, from, index, struck) => {
        const { line, longestSilenceMs } = liveThrough(mode, { from, index, fault: struck });
        assertUnharmed(line, longestSilenceMs, mode);
      },
    ),
    RUNS,
  );
  t.pass();
});
