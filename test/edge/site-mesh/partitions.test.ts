import t from 'tap';
import { partitionsOf } from '@sparc/edge/site-mesh';

const hears = (...links: readonly (readonly [string, string])[]) => {
  const map = new Map<string, string[]>();
  for (const [from, to] of links) map.set(from, [...(map.get(from) ?? []), to]);
  return map;
};

t.test('members that hear each other through others are together', async (t) => {
  const links = hears(['a', 'b'], ['b', 'c'], ['c', 'd']);
  t.strictSame(partitionsOf('a', ['d', 'c', 'b', 'a'], links), [['a', 'b', 'c', 'd']]);
});

t.test('the group of the gateway itself is the first, and whoever nobody heard of is alone', async (t) => {
  const links = hears(['c', 'b'], ['d', 'e']);
  t.strictSame(partitionsOf('c', ['a', 'b', 'c', 'd', 'e'], links), [['c', 'b'], ['a'], ['d', 'e']]);
});

t.test('what one end tells of a link counts for both', async (t) => {
  t.strictSame(partitionsOf('a', ['a', 'b'], hears(['b', 'a'])), [['a', 'b']]);
});

t.test('a gateway that is no member any more is in its own view all the same', async (t) => {
  t.strictSame(partitionsOf('x', ['a'], new Map()), [['x'], ['a']]);
});
