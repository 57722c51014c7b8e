import fc from 'fast-check';
import t from 'tap';
import { TurnOrder, type Contender } from '@sparc/firmware-bridges/osdp';
import { checkProperty } from '../../support/property.js';

const contender = fc.record({
  dueAtMs: fc.integer({ min: 0, max: 200 }),
  urgent: fc.boolean(),
  attentiveUntilMs: fc.constantFrom(-Infinity, 1_000),
  present: fc.boolean(),
  answered: fc.boolean(),
  lastTurnAtMs: fc.integer({ min: -100, max: 99 }),
});
const NOW_MS = 100;

t.test('a turn goes only to somebody who is due, and to nobody only if nobody is', async (t) => {
  checkProperty(
    fc.property(fc.array(contender, { maxLength: 10 }), (contenders) => {
      const chosen = new TurnOrder<Contender>().next(contenders, NOW_MS);
      const anyDue = contenders.some(({ dueAtMs }) => dueAtMs <= NOW_MS);
      return chosen === undefined ? !anyDue : chosen.dueAtMs <= NOW_MS;
    }),
  );
  t.pass();
});

t.test('whoever has an urgent command goes before everybody else', async (t) => {
  checkProperty(
    fc.property(fc.array(contender, { maxLength: 10 }), (contenders) => {
      const chosen = new TurnOrder<Contender>().next(contenders, NOW_MS);
      return chosen?.urgent === true || !contenders.some(({ urgent, dueAtMs }) => urgent && dueAtMs <= NOW_MS);
    }),
  );
  t.pass();
});

t.test('everybody who is due has a turn within bounded time, however attentive or absent the others are', async (t) => {
  checkProperty(
    fc.property(fc.array(contender, { minLength: 1, maxLength: 8 }), (drawn) => {
      const contenders = drawn.map((each) => ({ ...each, dueAtMs: 0, urgent: false }));
      const order = new TurnOrder<Contender>();
      const served = new Set<Contender>();
      for (let turn = 0; turn < 2 * contenders.length * (contenders.length + 1); turn++) {
        const chosen = order.next(contenders, NOW_MS);
        if (chosen === undefined) return false;
        served.add(chosen);
        Object.assign(chosen, { lastTurnAtMs: NOW_MS + turn, dueAtMs: turn / 100 });
      }
      return contenders.every((each) => served.has(each));
    }),
  );
  t.pass();
});

t.test('absent devices share one probe a round of their neighbours', async (t) => {
  const make = (present: boolean): Contender => ({
    dueAtMs: 0,
    urgent: false,
    attentiveUntilMs: -Infinity,
    present,
    answered: present,
    lastTurnAtMs: 0,
  });
  const contenders = [make(true), make(true), make(false), make(false), make(false)];
  const order = new TurnOrder<Contender>();
  const turns = Array.from({ length: 60 }, () => order.next(contenders, NOW_MS)?.present);
  t.equal(turns.filter((present) => present === false).length, 10);
});
