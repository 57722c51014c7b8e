/**
 * The arithmetic of a bus without its drivers: for whoever plans one on a machine that has no serial port.
 * @packageDocumentation
 */
export { busPlanProblem } from '../osdp/poll-period.js';
