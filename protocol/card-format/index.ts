/**
 * Card formats: where facility code and number are in the bits a reader sends, and the keys credentials are found under.
 * @packageDocumentation
 */
export { canAutoEnrol, type BitRange, type CardCheck, type CardFields, type CardFormat } from './card-format.js';
export { cardFormat, CARD_FORMATS } from './registry.js';
export {
  decodeCard,
  findByRead,
  RAW_FORMAT_ID,
  type ActiveFormat,
  type CardDecoding,
  type DecodedCard,
} from './decode-card.js';
export { encodeCard } from './encode-card.js';
export { cardOfKey, identifierKey, RAW_BITS_MAX, rawKey } from './identifier-key.js';
