/**
 * People at doors.
 * @packageDocumentation
 */
export { cardBitsOf, rawCardBits } from './card-bits.js';
export { HABITS, Person, type Habits, type Passage, type ReaderFront } from './person.js';
