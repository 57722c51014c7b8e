/**
 * The command line of the deterministic worlds: `sparc simulate` hands its arguments to `bin/simulate.js`.
 * @packageDocumentation
 */
