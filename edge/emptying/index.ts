/**
 * Old epochs of gateways' logs are emptied: what the cloud said to have more than seven days ago, and has nothing that counts for
 * longer. Of each stay what was signed first, which says on what it follows, and the signed head over its end.
 * @packageDocumentation
 */
export { CLOUD_WORDS_MAX, CloudWords, KEPT_MS, type CloudWord, type CloudWordsDeps } from './cloud-words.js';
export { Emptier, type EmptierDeps } from './emptier.js';
export { WordFile, CLOUD_WORDS_FILE } from './word-file.js';
export { EpochWorth, LASTING, worthOf, type Worth } from './worth.js';
