import fc from 'fast-check';
import t from 'tap';
import { RecentMap } from '@sparc/edge/policy';
import { checkProperty } from '../../support/property.js';

t.test('what was used lately is remembered, what nobody used is forgotten', async (t) => {
  const map = new RecentMap<number, string>(4);
  for (const key of [1, 2, 3]) map.set(key, `value ${key}`);
  t.equal(map.get(1), 'value 1', 'asked for, so it stays');
  map.set(4, 'value 4');
  t.equal(map.get(1), 'value 1');
  t.equal(map.get(2), undefined);
});

t.test('it answers what was set last or nothing, and never holds more than it may', async (t) => {
  const use = fc.record({ key: fc.nat(30), value: fc.option(fc.nat(), { nil: undefined }) });
  checkProperty(
    fc.property(fc.array(use, { maxLength: 200 }), fc.integer({ min: 2, max: 20 }), (uses, sizeMax) => {
      const map = new RecentMap<number, number>(sizeMax);
      const all = new Map<number, number>();
      for (const { key, value } of uses) {
        if (value !== undefined) {
          map.set(key, value);
          all.set(key, value);
          if (map.get(key) !== value) return false;
        } else if (![undefined, all.get(key)].includes(map.get(key))) return false;
        if (map.size > sizeMax) return false;
      }
      return true;
    }),
  );
  t.pass();
});
