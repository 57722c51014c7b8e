import t from 'tap';
import { FEEDBACK, indicationCommands, outputRecord } from '@sparc/firmware-bridges/osdp';
import { encodeCommand } from '@sparc/protocol/osdp';
import { INDICATIONS } from '@sparc/protocol/ports';

t.test('output actions are the timed and permanent codes of OUT, timers rounded up to ticks and bounded', async (t) => {
  t.same(outputRecord(3, { kind: 'off' }), { output: 3, code: 1, timerTicks: 0 });
  t.same(outputRecord(3, { kind: 'on' }), { output: 3, code: 2, timerTicks: 0 });
  t.same(outputRecord(0, { kind: 'onFor', durationMs: 3_001 }), { output: 0, code: 5, timerTicks: 31 });
  t.same(outputRecord(0, { kind: 'offFor', durationMs: 500 }), { output: 0, code: 6, timerTicks: 5 });
  t.equal(outputRecord(0, { kind: 'onFor', durationMs: 0 }).timerTicks, 1, 'a timer of 0 is undefined, never sent');
  t.equal(outputRecord(0, { kind: 'onFor', durationMs: 86_400_000 }).timerTicks, 0xffff);
});

t.test('every indication is a legal command, standing or ending by itself', async (t) => {
  for (const indication of INDICATIONS) {
    const commands = indicationCommands(1, indication, undefined);
    for (const command of commands) t.doesNotThrow(() => encodeCommand(command), indication);
    const standing = indication === 'locked' || indication === 'unlocked';
    const [led] = commands;
    t.equal(led?.name === 'LED' && led.records[0]?.permanent.code, standing ? 1 : 0, indication);
    t.equal(led?.name === 'LED' && led.records[0]?.temporary.code, standing ? 0 : 2, indication);
    t.ok((FEEDBACK[indication].text ?? '').length <= 16, 'fits the smallest display');
  }
});

t.test('a device is sent only what it says it has', async (t) => {
  const names = (capabilities: number[]) =>
    indicationCommands(
      0,
      'denied',
      capabilities.map((code) => ({ function: code, compliance: 1, count: 1 })),
    ).map(({ name }) => name);
  t.same(names([]), []);
  t.same(names([4]), ['LED']);
  t.same(names([4, 5]), ['LED', 'BUZ']);
  t.same(names([4, 5, 6]), ['LED', 'BUZ', 'TEXT']);
});
