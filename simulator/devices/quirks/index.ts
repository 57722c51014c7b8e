/**
 * What real readers do beside the standard, as named flags around the PD machine.
 * @packageDocumentation
 */
export { QuirkSet, READER_QUIRK_NAMES, READER_QUIRKS, type ReaderQuirk } from './reader-quirks.js';
export { QuirkyPd } from './quirky-pd.js';
export { quirkyOptions } from './quirky-options.js';
