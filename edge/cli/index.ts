/**
 * The `sparc` command: runs a gateway, brings policies into force, verifies and exports the ledger, starts the simulator.
 * @packageDocumentation
 */
export { directiveText, isCarriedOut, type GivenDirective } from './directing.js';
export { EXIT_CODES } from './exit-codes.js';
export { runCli } from './program.js';
