import { hex, list, message, oneOf, required, uint, type Infer } from '../ledger/index.js';

/** In the order in which references need them. */
export const SECTIONS = ['plan', 'profiles', 'holders', 'credentials'] as const;
export type Section = (typeof SECTIONS)[number];

/** Lines of one part before they are deflated: a bound of memory for whoever reads it. */
export const PART_TEXT_BYTES_MAX = 262_144;
/** Fits into a frame of the mesh. DEFLATE adds five bytes a block where it cannot make anything smaller. */
export const PART_BYTES_MAX = PART_TEXT_BYTES_MAX + 1_024;
export const INDEX_PARTS_MAX = 256;
/**
 * One record in so many begins a part, and one part in so many an index part, as the first byte of its hash says. All
 * versions have the same figures: with others, every part of a site would get another name at once.
 */
export const PART_RECORDS_MEAN = 256;
export const INDEX_PARTS_MEAN = 64;

/** A part as an index part names it. */
export const PartRef = message({
  section: required(1, oneOf(SECTIONS)),
  /** SHA-256 of its bytes. */
  hash: required(2, hex(32)),
  sizeBytes: required(3, uint(PART_BYTES_MAX)),
});
export type PartRef = Infer<typeof PartRef>;

/** Some of the parts of a revision, in its order. */
export const IndexPart = message({ parts: list(1, PartRef, INDEX_PARTS_MAX) });
