import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml';

/** YAML with the line of everything, which is what a failure has to name. */
export type Tree =
  | { readonly kind: 'scalar'; readonly line: number; readonly value: string | number | boolean | null }
  | { readonly kind: 'list'; readonly line: number; readonly items: readonly Tree[] }
  | { readonly kind: 'map'; readonly line: number; readonly entries: ReadonlyMap<string, Tree> };

export function parseTree(text: string, file: string): Tree {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  if (error) throw new Error(`${file}: ${error.message}`);
  const treeOf = (node: unknown): Tree => {
    const line = lines.linePos((node as Node | null)?.range?.[0] ?? 0).line;
    if (isMap(node)) {
      const entries = node.items.map(({ key, value }) => [String(isScalar(key) ? key.value : key), value] as const);
      return { kind: 'map', line, entries: new Map(entries.map(([key, value]) => [key, treeOf(value)])) };
    }
    if (isSeq(node)) return { kind: 'list', line, items: node.items.map(treeOf) };
    if (isAlias(node)) return treeOf(node.resolve(document));
    const value = isScalar(node) ? node.value : null;
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
    return { kind: 'scalar', line, value: isPlain ? (value as string | number | boolean) : null };
  };
  return treeOf(document.contents);
}

/** The value without its lines. */
export function plain(tree: Tree): unknown {
  switch (tree.kind) {
    case 'scalar':
      return tree.value;
    case 'list':
      return tree.items.map(plain);
    case 'map':
      return Object.fromEntries([...tree.entries].map(([key, value]) => [key, plain(value)]));
  }
}

const filledText = (text: string, values: ReadonlyMap<string, Tree>): string =>
  text.replace(/<([\w-]+)>/g, (name, key: string) => {
    const value = values.get(key);
    return value?.kind === 'scalar' ? String(value.value) : name;
  });

/** Replaces `<name>`: where it is all of a value by the value of that name, else by its text. */
export function filled(tree: Tree, values: ReadonlyMap<string, Tree>): Tree {
  switch (tree.kind) {
    case 'scalar': {
      if (typeof tree.value !== 'string') return tree;
      const whole = /^<([\w-]+)>$/.exec(tree.value)?.[1];
      const value = whole === undefined ? undefined : values.get(whole);
      return value ?? { ...tree, value: filledText(tree.value, values) };
    }
    case 'list':
      return { ...tree, items: tree.items.map((item) => filled(item, values)) };
    case 'map': {
      const entries = [...tree.entries].map(
        ([key, value]) => [filledText(key, values), filled(value, values)] as const,
      );
      return { ...tree, entries: new Map(entries) };
    }
  }
}
