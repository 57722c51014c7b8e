/**
 * How a PD speaks where stacks read the standard differently. What the bytes themselves tell is read in every form, from
 * anybody; a dialect says the rest: what to write to such a PD, and what no byte tells. It is configuration, never guessed.
 * A PD of ours that has one speaks as it says.
 */
export interface Dialect {
  /** Bytes of the data offset in PIVDATA. Both are read. */
  readonly pivOffsetSize: 1 | 2;
  /** Algorithm and key reference of GENAUTH and CRAUTH are part of the message's total. Both are read. */
  readonly authenticationHeadCounted: boolean;
  /**
   * The answer of a card to an APDU in XRD: `cardData` is reply 2 with a status byte, `cardPresent` reply 1 without. Both are
   * read.
   */
  readonly apduReply: 'cardData' | 'cardPresent';
  /** FMT's direction byte where the card was drawn forward; see {@link readForward}. */
  readonly fmtForward: 0 | 1;
  /** Its status comes as plain data under a MAC, in SCS_15. Taken from anybody, since it is no secret; here without a notice. */
  readonly clearStatusReplies: boolean;
  /** It ends its session with the ACK to KEYSET. An ACU of ours opens a new one in any case. */
  readonly keysetEndsSession: boolean;
  /** A NAK counts as an answer: the next command has the next sequence number. A PD of ours takes both. */
  readonly nakAdvancesSequence: boolean;
}

const standard: Dialect = {
  pivOffsetSize: 2,
  authenticationHeadCounted: true,
  apduReply: 'cardData',
  fmtForward: 0,
  clearStatusReplies: false,
  keysetEndsSession: false,
  nakAdvancesSequence: true,
};

/** The known ones, by the stack of the PD. */
export const DIALECTS = {
  standard,
  /** libosdp 3.2 and 4.0-dev, on both ends. */
  libosdp: {
    ...standard,
    pivOffsetSize: 1,
    authenticationHeadCounted: false,
    clearStatusReplies: true,
    keysetEndsSession: true,
  },
  /** OSDP.Net 5.1. */
  'osdp-net': { ...standard, apduReply: 'cardPresent' },
  /** OSDP-Embedded 1.x. */
  'osdp-embedded': { ...standard, fmtForward: 1 },
  /** SIA libosdp-conformance: a NAK leaves the sequence where it was. */
  'libosdp-conformance': { ...standard, nakAdvancesSequence: false },
} as const satisfies Readonly<Record<string, Dialect>>;

export type DialectName = keyof typeof DIALECTS;

/** True where the characters of FMT stand in the order of the card; reversed ones were read as it was drawn out. */
export const readForward = (direction: number, { fmtForward }: Dialect): boolean =>
  direction === 0 || direction === fmtForward;

export const fmtDirection = (forward: boolean, { fmtForward }: Dialect): number =>
  forward ? fmtForward : fmtForward + 1;
