/**
 * Up to where gateways need not keep what lasts for a while only: what the cloud signed more than seven days ago to have, and signs
 * still. Whoever has no link to the cloud asks neighbours for its words.
 * @packageDocumentation
 */
export {
  CLOUD_WORDS_MAX,
  CloudWords,
  WORD_AMISS_MS,
  WORD_BYTES_MAX,
  type CloudWord,
  type CloudWordsDeps,
} from './cloud-words.js';
export { copiedTo, emptiableTo, type HeldLog } from './emptiable.js';
export { WordFile, CLOUD_WORDS_FILE } from './word-file.js';
