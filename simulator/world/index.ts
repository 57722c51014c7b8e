/**
 * The world a simulated site stands in: time, chance, serial lines and disks, all drawn from one seed.
 * @packageDocumentation
 */
export { RunDigest } from './digest.js';
export {
  LINE_CONDITIONS,
  LINE_FAULTS,
  LineFaults,
  type LineCondition,
  type LineFault,
  type LineFaultRates,
} from './line-faults.js';
export { SeededRandom } from './seeded-random.js';
export { SerialLine, type LinePort, type LineRecord } from './serial-line.js';
export { SimulatedByteLink } from './simulated-byte-link.js';
export {
  DISK_FAULTS,
  HEALTHY_DISK,
  SimulatedDisk,
  type DiskBehaviour,
  type DiskFault,
  type DurableItem,
} from './simulated-disk.js';
export { sleep } from './sleep.js';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.js';
