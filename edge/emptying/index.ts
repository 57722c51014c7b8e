/**
 * Old epochs of gateways' logs are emptied: what is behind the seven days that everybody keeps, is in the cloud by its signed
 * word, and has nothing that counts for longer. Of each stay its place in the log and the signed head over its end.
 * @packageDocumentation
 */
export { CloudWord, KEPT_MS, type CloudWordDeps } from './cloud-word.js';
export { Emptier, type EmptierDeps } from './emptier.js';
export { LASTING, worthOf } from './worth.js';
