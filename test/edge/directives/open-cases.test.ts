import t from 'tap';
import { OPEN_CASES_MAX, OpenCases, type Given } from '@sparc/edge/directives';
import type { Directive } from '@sparc/protocol/directive';

const given = (operator: string, number: number, carrier = 'hallway'): Given => ({
  signed: { operator, text: '', signature: '' },
  directive: { id: `${operator} ${number}` } as Directive,
  carrier,
  carriedUnixMs: number,
  cause: Promise.resolve(undefined),
});

t.test('who gives directives without end makes nothing of anybody else forgotten', async (t) => {
  const cases = new OpenCases();
  for (let number = 0; number < 10; number += 1) cases.open(given('bob', number));
  cases.open(given('bob', 0, 'cellar'));
  for (let number = 0; number < 2 * OPEN_CASES_MAX; number += 1) cases.open(given('ada', number));
  t.equal(cases.of(new Set(['bob'])).length, 11);
  const left = cases.of(new Set(['ada']));
  t.equal(left.length, OPEN_CASES_MAX - 10);
  t.equal(left.at(-1)?.directive.id, `ada ${2 * OPEN_CASES_MAX - 1}`, 'and of theirs the oldest');
});
