/**
 * Groups of members that hear each other, directly or through others; that of `self` first, then in the order of the
 * members. A link that one end tells of counts for both; whoever nobody heard of is a group of its own.
 */
export function partitionsOf(
  self: string,
  members: readonly string[],
  hears: ReadonlyMap<string, readonly string[]>,
): string[][] {
  const left = new Set([self, ...members]);
  const groups: string[][] = [];
  for (const first of left) {
    left.delete(first);
    const group = [first];
    for (const one of group) {
      const linked = [...left].filter((other) => hears.get(one)?.includes(other) || hears.get(other)?.includes(one));
      for (const other of linked) left.delete(other);
      group.push(...linked);
    }
    groups.push(group);
  }
  return groups;
}
