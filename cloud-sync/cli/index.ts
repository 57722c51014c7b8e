/**
 * The `sparc-cloud` command.
 * @packageDocumentation
 */
export { runCli, type Host } from './program.js';
