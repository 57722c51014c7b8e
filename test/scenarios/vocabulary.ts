/** A sentence of scenarios: what stands in braces varies. */
export interface Sentence<T> {
  readonly phrase: string;
  /** For the README. */
  readonly means: string;
  readonly run: (target: T, ...words: string[]) => void | Promise<void>;
}

/** What may stand in braces, beside single words. */
const KINDS: Readonly<Record<string, string>> = {
  duration: String.raw`(\d+(?:\.\d+)? (?:ms|s|min|h|days))`,
  time: String.raw`(\d{4}-\d{2}-\d{2} \d{2}:\d{2}(?::\d{2})?(?: [+-]\d{2}:\d{2})?)`,
  reasons: String.raw`([a-z_]+(?:, [a-z_]+)*)`,
  text: String.raw`(.+)`,
  event: String.raw`([a-z_]+(?:\.[a-z_]+)+(?: (?:of|at|because) \S+)*(?: with [^,]+)?)`,
};

export class Vocabulary<T> {
  readonly #patterns: readonly { readonly sentence: Sentence<T>; readonly pattern: RegExp }[];

  constructor(readonly sentences: readonly Sentence<T>[]) {
    this.#patterns = sentences.map((sentence) => {
      const source = sentence.phrase
        .split(/\{(\w+)\}/)
        .map((part, at) =>
          at % 2 === 0 ? part.replace(/[.*+?^$()|[\]\\]/g, '\\$&') : (KINDS[part] ?? String.raw`(\S+)`),
        )
        .join('');
      return { sentence, pattern: new RegExp(`^${source}$`) };
    });
  }

  /** The first sentence that fits; undefined when none does. */
  find(text: string): ((target: T) => void | Promise<void>) | undefined {
    for (const { sentence, pattern } of this.#patterns) {
      const match = pattern.exec(text);
      if (match !== null) return (target) => sentence.run(target, ...match.slice(1));
    }
    return undefined;
  }
}
