/**
 * The world a simulated site stands in: time, chance, serial lines and disks, all drawn from one seed.
 * @packageDocumentation
 */
export { SeededRandom } from './seeded-random.js';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.js';
