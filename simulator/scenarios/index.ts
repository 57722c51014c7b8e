/**
 * What may happen to a simulated site, and what must never be seen in one: drawn sites, faults and checkers. Checkers
 * look at wires, locks and people, never at a gateway's own log.
 * @packageDocumentation
 */
export { CardsArriveOnce } from './checkers/cards-arrive-once.js';
export { DevicesReturn } from './checkers/devices-return.js';
export { checkFaultsFired } from './checkers/faults-fired.js';
export { LocksObeyCommands } from './checkers/locks-obey-commands.js';
export { NothingInClear } from './checkers/nothing-in-clear.js';
export { drawKeys, drawSite } from './drawn-site.js';
export { Violations, type Violation } from './violation.js';
