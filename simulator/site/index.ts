/**
 * Real parts of a gateway in a simulated world: the only place where simulator and gateway meet in one process.
 * @packageDocumentation
 */
export {
  BUS_DEFECTS,
  BUS_FAULTS,
  BusWorld,
  type BusDefect,
  type BusWorldOptions,
  type WorldReport,
} from './bus-world.js';
