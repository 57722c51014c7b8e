/** First and last bit, inclusive. Bit 0 is the first on the wire, the most significant. */
export type BitRange = readonly [first: number, last: number];

/**
 * A rule that bits of a valid card obey. `parity`: the covered bits and `bit` together have an even (or odd) count of
 * ones. `xor`: the byte at `bits` is the exclusive or of the bytes that start at `over`. `fixed`: the bits have `value`.
 */
export type CardCheck =
  | {
      readonly kind: 'parity';
      readonly bit: number;
      readonly sense: 'even' | 'odd';
      readonly over: readonly number[];
    }
  | { readonly kind: 'xor'; readonly bits: BitRange; readonly over: readonly number[] }
  | { readonly kind: 'fixed'; readonly bits: BitRange; readonly value: number };

/** Where a card's fields are, and what makes its bits valid. No field is wider than 48 bits. */
export interface CardFormat {
  /** As site files name it. */
  readonly id: string;
  readonly name: string;
  readonly bitCount: number;
  readonly facility?: BitRange;
  readonly number: BitRange;
  readonly issue?: BitRange;
  /** Fields that do not identify a card (OEM code, expiry), by name. */
  readonly other?: Readonly<Record<string, BitRange>>;
  /** In the order in which an encoder sets them: later ones may cover earlier ones. */
  readonly checks: readonly CardCheck[];
}

/** Field values of one card. `number` is decimal, so that no value loses digits on its way through JSON. */
export interface CardFields {
  readonly facility?: number;
  readonly number: string;
  readonly issue?: number;
  readonly other?: Readonly<Record<string, number>>;
}

/** True when a misread is likely to be noticed; a format without parity is never enrolled from a read alone. */
export function canAutoEnrol(format: CardFormat): boolean {
  return format.checks.some((check) => check.kind === 'parity' || check.kind === 'xor');
}
