/**
 * The arithmetic of a bus without its drivers: for whoever plans one on a machine that has no serial port.
 * @packageDocumentation
 */
export { busPlanProblem, POLL_PERIOD_MAX_MS, predictedPollPeriodMs, type PolledDevice } from '../osdp/poll-period.js';
